"""What the project promises of its speed, measured by one command."""
