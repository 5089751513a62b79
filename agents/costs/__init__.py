"""What model calls cost: priced, estimated, and held below a ceiling."""
