"""What every GitHub account has left, and who is about to take how much of it.

`terms` is what is asked and answered, `shared` keeps it in Redis for all workers, `memory` in this process.
"""
