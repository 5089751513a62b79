"""WebSockets that follow an article: consumers, channel groups, snapshots and streamed drafts."""
