"""Typed cryptographic primitives; weak ones are named insecure_*."""
