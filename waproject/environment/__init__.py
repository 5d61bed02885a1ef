"""Settings that are read from environment variables: endpoints, file storage, the local run."""
