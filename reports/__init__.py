"""Report templates; generated reports go to reports/sorties."""
