"""What tests share: servers, workers and teachers to drive."""
