"""Settings that all tests share: derivations are built on first use, so there is no deadline."""

from hypothesis import HealthCheck, settings

settings.register_profile("chainrule", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("chainrule")
