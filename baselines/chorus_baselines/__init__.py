"""Methods that produce submissions for chorus-bench; `chorus` is the reference."""
