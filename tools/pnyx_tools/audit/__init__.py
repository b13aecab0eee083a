"""Reads what a report about a period says: the chain, the evidence, and what the verifier says about both."""

from pnyx_tools.audit.telling import Audit, WriterAudit, WriterHead, audit

__all__ = ["Audit", "WriterAudit", "WriterHead", "audit"]
