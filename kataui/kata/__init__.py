"""Facts about Kata Containers and Kubernetes that several parts of kataui need."""
