"""The only writer of job state: turns reports into rows, files, notifications and job.updated."""
