"""The command line: results on stdout, progress and errors on stderr.

Exit 0 done, 1 the run failed, 2 the request was wrong.
"""
