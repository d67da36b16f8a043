"""What outlives a process: workspaces, keys, endpoints, their use, and saved workflows, in SQLite or PostgreSQL."""
