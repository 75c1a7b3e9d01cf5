"""What an operator may change: settings and the data files beside them. Imports nothing of ours."""
