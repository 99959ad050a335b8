"""Best-practice checks of a Kata host: the networking path, the IO path, and the base."""
