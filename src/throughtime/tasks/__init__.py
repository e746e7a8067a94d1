"""One file for each job a user has."""
