"""Takes requested jobs, renders them through a provider and reports."""
