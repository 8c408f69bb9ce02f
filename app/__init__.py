"""Plantão: alert routing and incidents for a real-time Pix fraud-detection pipeline."""
