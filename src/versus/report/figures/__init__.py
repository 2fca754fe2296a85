"""How pictures are drawn, for the page and MLflow: geometry here, markup in ``templates/figures``, colours in CSS."""
