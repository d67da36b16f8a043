"""Packages from anywhere, kept on this machine under the checksums of their files."""
