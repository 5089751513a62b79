"""``make load``: many users on pages, sockets and API while articles are written, and the memory of a long day."""
