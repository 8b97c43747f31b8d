"""Proof by breaking things: real workers and a real Valkey, killed, frozen, flushed and sent everything twice."""
