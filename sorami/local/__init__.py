"""The embedded stack: real Postgres, Kafka and S3 servers and the services, supervised on one machine."""
