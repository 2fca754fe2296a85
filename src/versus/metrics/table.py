"""Table of metrics. A metric is one row here and one function; scoring, pages, intervals and gates follow from it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from versus import plugins
from versus.arrays import Array
from versus.metrics import (
    classification,
    columns,
    curves,
    density,
    image_samples,
    parsing,
    reconstruction,
    regression,
    samples,
    tagging,
    topics,
)
from versus.metrics.metric import INF, Metric, share
from versus.statistics.bootstrap import Scorer, scorer_of_rows, weighted_scorers

_SKLEARN = "scikit-learn user guide, 3.4 Metrics and scoring"
_THEIS = "Theis, van den Oord and Bethge 2016"
_SAERENS = "Saerens, Latinne and Decaestecker 2002"
_SHANNON = "Shannon 1951"
_ZHU = "Zhu, Park, Isola and Efros 2017"
_HOFFMAN = "Hoffman et al. 2018"
_ZHAO = "Zhao, Kunar, Birke and Chen 2021"
_KYNKAANNIEMI = "Kynkäänniemi et al. 2019"
_NAEEM = "Naeem et al. 2020"
_SALIMANS = "Salimans et al. 2016"
_BLACK = "Black and others 1991; evalb, Sekine and Collins 1997"
_ESTEBAN = "Esteban, Hyland and Rätsch 2017"
_VINCENT = "Vincent et al. 2010"
_counts = classification.class_counts

# Within a use and a table of the report, in the order of the columns.
METRICS: tuple[Metric, ...] = (
    Metric("accuracy_score", "accuracy", "classification", "share", "higher", 0, 1,
        _SKLEARN, "headline", classification.hits, share),
    Metric("balanced_accuracy_score", "balanced accuracy", "classification", "share", "higher", 0, 1,
        "Brodersen, Ong, Stephan and Buhmann 2010", "scores", _counts, classification.balanced_accuracy),
    Metric("precision_score", "precision", "classification", "share", "higher", 0, 1,
        _SKLEARN, "scores", _counts, classification.precision),
    Metric("recall_score", "recall", "classification", "share", "higher", 0, 1,
        _SKLEARN, "scores", _counts, classification.recall),
    Metric("f1_score", "F1", "classification", "share", "higher", 0, 1,
        _SKLEARN, "scores", _counts, classification.f1),
    Metric("matthews_corrcoef", "Matthews correlation", "classification", "", "higher", -1, 1,
        "Gorodkin 2004", "scores", _counts, classification.matthews),
    Metric("cohen_kappa_score", "Cohen’s kappa", "classification", "", "higher", -1, 1,
        "Cohen 1960", "scores", _counts, classification.kappa),
    Metric("log_loss", "log loss", "classification", "nats", "lower", 0, INF,
        _SKLEARN, "headline", classification.log_losses),
    Metric("brier_score", "Brier score", "classification", "", "lower", 0, 2,
        "Brier 1950", "scores", classification.brier_scores),
    Metric("expected_calibration_error", "calibration error (ECE)", "classification", "share", "lower", 0, 1,
        "Guo et al. 2017", "scores", classification.calibration_gaps, classification.calibration_error),
    Metric("roc_auc", "ROC AUC", "classification", "share", "higher", 0, 1,
        "Fawcett 2006", "headline", weighted=curves.roc_auc),
    Metric("average_precision_score", "average precision", "classification", "share", "higher", 0, 1,
        _SKLEARN, "scores", weighted=curves.average_precision),
    Metric("root_mean_squared_error", "RMSE", "regression", "of the target", "lower", 0, INF,
        _SKLEARN, "headline", regression.squared_errors, regression.root),
    Metric("mean_absolute_error", "MAE", "regression", "of the target", "lower", 0, INF,
        _SKLEARN, "scores", regression.absolute_errors),
    Metric("r2_score", "R²", "regression", "share", "higher", -INF, 1,
        _SKLEARN, "headline", regression.explained, regression.r2),
    Metric("interval_coverage", "coverage", "intervals", "share", regression.COVERAGE, 0, 1,
        "Gneiting and Raftery 2007", "headline", regression.covered, share),
    Metric("pinball_loss", "quantile (pinball) loss", "intervals", "of the target", "lower", 0, INF,
        "Koenker and Bassett 1978", "scores", regression.pinball_losses),
    Metric("mean_target_log_likelihood", "mean log p(y|x), nats", "target_density", "nats", "higher", -INF, INF,
        "Gneiting and Raftery 2007", "scores", density.log_likelihoods),
    Metric("token_accuracy", "token accuracy", "tagging", "share", "higher", 0, 1,
        "Manning, Raghavan and Schütze 2008", "headline", tagging.right_tokens, tagging.ratio),
    Metric("sentence_accuracy", "sentence accuracy", "tagging", "share", "higher", 0, 1,
        "Manning 2011", "headline", tagging.right_sentences, share),
    Metric("tag_log_loss", "log loss a token", "tagging", "nats", "lower", 0, INF,
        _SKLEARN, "scores", tagging.log_losses, tagging.ratio),
    Metric("sequence_log_loss", "log loss of whole sentences, a token", "tag_sequence", "nats", "lower", 0, INF,
        "Lafferty, McCallum and Pereira 2001", "scores", tagging.sequence_losses, tagging.ratio),
    Metric("unknown_accuracy", "accuracy on unknown tokens", "unknown_tokens", "share", "higher", 0, 1,
        "Brants 2000", "scores", tagging.right_unknown, tagging.ratio),
    Metric("span_f1", "span F1", "spans", "share", "higher", 0, 1,
        "Tjong Kim Sang and Buchholz 2000", "headline", tagging.spans, tagging.span_f1),
    Metric("bracket_f1", "labelled bracket F1", "parsing", "share", "higher", 0, 1,
        _BLACK, "headline", parsing.matched_brackets, parsing.f1),
    Metric("exact_match", "whole trees right", "parsing", "share", "higher", 0, 1,
        _BLACK, "headline", parsing.exact, share),
    Metric("bracket_precision", "bracket precision", "parsing", "share", "higher", 0, 1,
        _BLACK, "scores", parsing.matched_brackets, parsing.precision),
    Metric("bracket_recall", "bracket recall", "parsing", "share", "higher", 0, 1,
        _BLACK, "scores", parsing.matched_brackets, parsing.recall),
    Metric("tree_tag_accuracy", "tag accuracy", "parsing", "share", "higher", 0, 1,
        "Manning, Raghavan and Schütze 2008", "scores", parsing.right_tags, tagging.ratio),
    Metric("unknown_bracket_f1", "bracket F1 of sentences with unknown words", "unknown_sentences", "share", "higher",
        0, 1, _BLACK, "scores", parsing.matched_where_unknown, parsing.f1),
    Metric("tree_log_loss", "log loss of trees, a token", "tree_density", "nats", "lower", 0, INF,
        "Johnson 2001", "scores", parsing.tree_losses, density.nats_per_token),
    Metric("sentence_nats_per_token", "nats a token of sentences", "sentences", "nats", "lower", 0, INF,
        _SHANNON, "scores", density.surprises, density.nats_per_token),
    Metric("nats_per_token", "nats a token", "language", "nats", "lower", 0, INF,
        _SHANNON, "headline", density.surprises, density.nats_per_token),
    Metric("bits_per_character", "bits a character", "characters", "bits", "lower", 0, INF,
        _SHANNON, "headline", density.surprises, density.bits_per_character),
    Metric("perplexity", "perplexity a word", "words", "", "lower", 1, INF,
        "Jelinek, Mercer, Bahl and Baker 1977", "headline", density.surprises, density.perplexity),
    Metric("completion_perplexity", "perplexity of the other half", "completion", "", "lower", 1, INF,
        "Wallach, Murray, Salakhutdinov and Mimno 2009", "scores", density.surprises, density.perplexity),
    Metric("topic_coherence", "topic coherence (NPMI)", "topic_words", "", "higher", -1, 1,
        "Lau, Newman and Baldwin 2014", "scores", value=topics.coherence),
    Metric("mean_log_likelihood", "mean log-likelihood, nats", "density", "nats", "higher", -INF, INF,
        _THEIS, "density", density.log_likelihoods),
    Metric("bits_per_dimension", "bits per dimension", "pixel_density", "bits", "lower", -INF, INF,
        _THEIS, "density", density.log_likelihoods_and_size, density.bits_per_dimension),
    Metric("mean_elbo", "mean ELBO, nats", "bound", "nats", "higher", -INF, INF,
        "Kingma and Welling 2014", "bound", density.log_likelihoods),
    Metric("mean_importance_bound", "mean bound by 50 codes, nats", "importance_bound", "nats", "higher", -INF, INF,
        "Burda, Grosse and Salakhutdinov 2016", None, density.log_likelihoods),
    Metric("bits_per_dimension_bound", "bits per dimension, upper bound", "pixel_bound", "bits", "lower", -INF, INF,
        _THEIS, "bound", density.log_likelihoods_and_size, density.bits_per_dimension),
    Metric("mean_ais_log_likelihood", "mean log-likelihood by AIS, nats", "ais_density", "nats", "higher", -INF, INF,
        "Salakhutdinov and Murray 2008", "density", density.log_likelihoods),
    Metric("mean_ais_elbo", "mean bound by AIS, nats", "ais_bound", "nats", "higher", -INF, INF,
        "Salakhutdinov and Murray 2008", "bound", density.log_likelihoods),
    Metric("mean_ode_log_likelihood", "mean log-likelihood by the probability flow, nats", "ode_density", "nats",
        "higher", -INF, INF, "Song et al. 2021", None, density.log_likelihoods),
    Metric("mean_pseudo_log_likelihood", "mean pseudo-log-likelihood, nats", "pseudo_density", "nats", "higher", -INF,
        INF, "Besag 1975", None, density.log_likelihoods),
    Metric("c2st_accuracy", "two-sample test accuracy", "samples", "share", 0.5, 0, 1,
        "Lopez-Paz and Oquab 2017", "samples", value=samples.c2st_accuracy),
    Metric("accuracy_half_missing", "accuracy, half of the columns missing", "missing", "share", "higher", 0, 1,
        "Saar-Tsechansky and Provost 2007", "ledger", classification.hits, share),
    Metric("accuracy_half_imputed", "the same, filled from neighbours", "imputed", "share", "higher", 0, 1,
        "Troyanskaya et al. 2001", "ledger", classification.hits, share),
    Metric("accuracy_iteratively_imputed", "the same, filled by regressions", "iterated", "share", "higher", 0, 1,
        "van Buuren and Groothuis-Oudshoorn 2011", "ledger", classification.hits, share),
    Metric("novelty_auroc", "detection of novel rows, AUROC", "novelty", "share", "higher", 0, 1,
        "Hendrycks and Gimpel 2017", "ledger", density.placements),
    Metric("novelty_by_error_auroc", "the same, by reconstruction error", "novelty_by_error", "share", "higher", 0, 1,
        "Japkowicz, Myers and Gluck 1995", "ledger", density.placements),
    Metric("others_auroc", "detection of images of other things, AUROC", "others", "share", "higher", 0, 1,
        "Hendrycks and Gimpel 2017", "ledger", density.placements),
    Metric("others_by_complexity_auroc", "the same, by likelihood against complexity", "others_by_complexity", "share",
        "higher", 0, 1, "Serrà et al. 2020", "ledger", density.placements),
    Metric("others_by_error_auroc", "the same of other things, by reconstruction error", "others_by_error", "share",
        "higher", 0, 1, "Japkowicz, Myers and Gluck 1995", "ledger", density.placements),
    Metric("denoised_psnr", "PSNR of denoised images, dB", "denoised", "dB", "higher", -INF, INF,
        _VINCENT, "codes", reconstruction.signal_to_noise),
    Metric("noisy_psnr", "of the noisy images", "noisy", "dB", "higher", -INF, INF,
        _VINCENT, "codes", reconstruction.signal_to_noise),
    Metric("median_filtered_psnr", "after a median filter", "median_filtered", "dB", "higher", -INF, INF,
        "Tukey 1977", "codes", reconstruction.signal_to_noise),
    Metric("linearly_filtered_psnr", "after the best linear filter", "linearly_filtered", "dB", "higher", -INF, INF,
        "Wiener 1949", "codes", reconstruction.signal_to_noise),
    Metric("enlarged_psnr", "PSNR of enlarged images, dB", "enlarged", "dB", "higher", -INF, INF,
        "Dong, Loy, He and Tang 2014", "codes", reconstruction.signal_to_noise),
    Metric("repeated_psnr", "with each pixel repeated", "repeated", "dB", "higher", -INF, INF,
        "Dong, Loy, He and Tang 2014", "codes", reconstruction.signal_to_noise),
    Metric("interpolated_psnr", "by bicubic interpolation", "interpolated", "dB", "higher", -INF, INF,
        "Keys 1981", "codes", reconstruction.signal_to_noise),
    Metric("translation_rmse", "error of translations", "translated", "share of the range", "lower", 0, INF,
        _ZHU, "codes", reconstruction.squared_errors, reconstruction.root),
    Metric("untranslated_rmse", "error of the images as they are", "untranslated", "share of the range", "lower", 0,
        INF, _ZHU, "codes", reconstruction.squared_errors, reconstruction.root),
    Metric("translated_accuracy", "accuracy of the other domain's classifier on translations", "translated_kinds",
        "share", "higher", 0, 1, _HOFFMAN, "codes", classification.hits, share),
    Metric("untranslated_accuracy", "the same on the images as they are", "untranslated_kinds", "share", "higher", 0, 1,
        _HOFFMAN, "codes", classification.hits, share),
    Metric("own_domain_accuracy", "the same on images of its own domain", "own_kinds", "share", "higher", 0, 1,
        _HOFFMAN, "codes", classification.hits, share),
    Metric("probe_accuracy", "accuracy of a linear probe on codes", "features", "share", "higher", 0, 1,
        "Alain and Bengio 2017", "codes", classification.hits, share),
    Metric("raw_probe_accuracy", "the same on the events", "raw_features", "share", "higher", 0, 1,
        "Alain and Bengio 2017", "codes", classification.hits, share),
    Metric("filled_rmse", "error of filled gaps, deviations", "gaps_filled", "deviations", "lower", 0, INF,
        "Troyanskaya et al. 2001", "codes", reconstruction.gap_errors, reconstruction.root_of_ratio),
    Metric("mean_filled_rmse", "filled by means", "gaps_by_means", "deviations", "lower", 0, INF,
        "Troyanskaya et al. 2001", "codes", reconstruction.gap_errors, reconstruction.root_of_ratio),
    Metric("neighbour_filled_rmse", "filled from neighbours", "gaps_by_neighbours", "deviations", "lower", 0, INF,
        "Troyanskaya et al. 2001", "codes", reconstruction.gap_errors, reconstruction.root_of_ratio),
    Metric("accuracy_classes_shifted", "accuracy, classes shifted", "classes_shifted", "share", "higher", 0, 1,
        _SAERENS, "shifts", classification.weighted_hits, tagging.ratio),
    Metric("accuracy_priors_given", "the same, turned to the new priors", "priors_given", "share", "higher", 0, 1,
        _SAERENS, "shifts", classification.weighted_hits, tagging.ratio),
    Metric("accuracy_priors_estimated", "turned to priors estimated by EM", "priors_estimated", "share", "higher", 0, 1,
        _SAERENS, "shifts", classification.weighted_hits, tagging.ratio),
    Metric("accuracy_component_shifted", "accuracy, first component shifted", "component_shifted", "share", "higher",
        0, 1, "Shimodaira 2000", "shifts", classification.weighted_hits, tagging.ratio),
    Metric("accuracy_sparse_shifted", "accuracy, shifted to sparse regions", "sparse_shifted", "share", "higher", 0, 1,
        "Shimodaira 2000", "shifts", classification.weighted_hits, tagging.ratio),
    Metric("copying", "nearer to a training row than new rows are", "copies", "share", 0.5, 0, 1,
        "Meehan, Chaudhuri and Dasgupta 2020", "samples", value=samples.copying),
    Metric("memorisation", "nearer to training than to held-out rows", "copies", "share", 0.5, 0, 1,
        "Platzer and Reutterer 2021", "samples", value=samples.memorisation),
    Metric("marginal_distance", "distance of the columns", "columns", "share", "lower", 0, 1,
        _ZHAO, "samples", value=columns.marginal_distance),
    Metric("wasserstein_distance", "Wasserstein distance of the columns", "columns", "standard deviations", "lower", 0,
        INF, _ZHAO, "samples", value=columns.wasserstein_distance),
    Metric("correlation_distance", "difference of correlations", "columns", "", "lower", 0, 2,
        _ZHAO, "samples", value=columns.correlation_distance),
    Metric("fid", "FID", "image_samples", "", "lower", 0, INF,
        "Heusel et al. 2017", "images", value=image_samples.fid),
    Metric("kid", "KID", "image_samples", "", "lower", -INF, INF,
        "Binkowski et al. 2018", "images", value=image_samples.kid),
    Metric("inception_score", "inception score", "image_samples", "", "higher", 1, INF,
        "Salimans et al. 2016", "images", value=image_samples.inception_score),
    Metric("image_precision", "precision of images", "image_samples", "share", "higher", 0, 1,
        _KYNKAANNIEMI, "images", value=image_samples.precision),
    Metric("image_recall", "recall of images", "image_samples", "share", "higher", 0, 1,
        _KYNKAANNIEMI, "images", value=image_samples.recall),
    Metric("image_density", "density of images", "image_samples", "", 1.0, 0, INF,
        _NAEEM, "images", value=image_samples.density),
    Metric("image_coverage", "coverage of images", "image_samples", "share", "higher", 0, 1,
        _NAEEM, "images", value=image_samples.coverage),
    Metric("modes_covered", "classes covered", "image_samples", "share", "higher", 0, 1,
        _SALIMANS, "images", value=image_samples.modes_covered),
    Metric("mode_entropy", "entropy of classes, relative to real images", "image_samples", "", 1.0, 0, INF,
        _SALIMANS, "images", value=image_samples.mode_entropy),
    Metric("tstr_balanced_accuracy", "train on synthetic, test on real", "transfer", "share", "higher", 0, 1,
        _ESTEBAN, "samples", value=samples.tstr_balanced_accuracy),
    Metric("tstr_ratio", "relative to training on real", "transfer", "", "higher", 0, INF,
        _ESTEBAN, "samples", value=samples.tstr_ratio),
)  # fmt: skip

# Task -> the uses whose metrics may decide which model is best; the first one with a direction is the default.
DECIDING = {
    "classification": ("classification",),
    "regression": ("regression", "intervals", "target_density"),
    "tagging": ("tagging", "spans"),
    "parsing": ("parsing",),
    "density": ("language", "characters", "words", "density", "bound"),
}
# Task -> the two scores that each verdict shows side by side: of the decision, and of the whole predicted distribution.
SIDE_BY_SIDE = {
    "classification": ("accuracy_score", "brier_score"),
    "regression": ("root_mean_squared_error", "mean_target_log_likelihood"),
    "tagging": ("token_accuracy", "tag_log_loss"),
    "parsing": ("bracket_f1", "exact_match"),
}
# Their names tell the measure where it is unusual.
DENSITIES = (
    "density",
    "bound",
    "importance_bound",
    "pixel_density",
    "pixel_bound",
    "ais_density",
    "ais_bound",
    "ode_density",
    "pseudo_density",
)
SUFFIXED = (*DENSITIES, "image_samples")  # those of images tell by which extractor they were scored


def metrics() -> tuple[Metric, ...]:
    """Return all metrics: those of this table, and those of the packages that params.yaml names."""
    return (*METRICS, *(metric for module in plugins.having("metrics") for metric in plugins.imported(module).METRICS))


def check_brought() -> None:
    """Check the metrics of packages in use.

    Raises:
        versus.plugins.PluginError: for a module without METRICS, a name or a label that is taken, or answers that no
            use gives.
    """
    taken = {word for metric in METRICS for word in (metric.name, metric.label)}
    for module in plugins.having("metrics"):
        found = getattr(plugins.imported(module), "METRICS", None)
        if not isinstance(found, list | tuple) or not all(isinstance(metric, Metric) for metric in found):
            raise plugins.PluginError(f"{module} needs METRICS, a tuple of versus.metrics.metric.Metric")
        for metric in found:
            if fault := _fault(metric, taken):
                raise plugins.PluginError(f"{module}: {metric.name!r}: {fault}")
            taken |= {metric.name, metric.label}


def _fault(metric: Metric, taken: Collection[str]) -> str | None:
    twice = [word for word in (metric.name, metric.label) if word in taken]
    if twice:
        return f"another metric is called {twice[0]!r}"
    uses = dict.fromkeys(known.use for known in METRICS)
    if metric.use not in uses:
        return f"use is {metric.use!r}; accepted: {', '.join(uses)}"
    if sum(way is not None for way in (metric.rows, metric.weighted, metric.value)) != 1:
        return "wants one of rows, weighted and value"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", metric.name):
        return "a name has small letters, digits and underscores only"
    return None if metric.low < metric.high else f"low is {metric.low} and high {metric.high}; low must be the smaller"


def named(name: str) -> Metric:
    """Return the metric of a name in scores.csv, with any suffix for the measure or the extractor.

    Raises:
        KeyError: if no metric has this name; the message gives it.
    """
    for metric in metrics():
        if metric.name == name:
            return metric
    of_measures = [m for m in metrics() if m.use in SUFFIXED and name.startswith(m.name + "_")]
    if of_measures:
        return max(of_measures, key=lambda metric: len(metric.name))
    raise KeyError(f"{name!r} is no metric; metrics are {', '.join(m.name for m in metrics())}")


def known(metric: str) -> Metric:
    """Return the metric with a name in scores.csv; one derived from the name alone where the table does not have it."""
    try:
        return named(metric)
    except KeyError:
        return Metric(metric, metric.replace("_", " "), "", "", "higher", -INF, INF, "")


def label(metric: str) -> str:
    """Return the metric's name for readers."""
    return known(metric).label


def lower_is_better(metric: str) -> bool:
    """Tell if a smaller value is better."""
    return known(metric).lower_is_better


def is_share(metric: str) -> bool:
    """Tell if the score is a share of rows, or lies within 0 … 1 like one."""
    return known(metric).is_share


def of_use(use: str) -> list[Metric]:
    """Return the metrics that score the same answers."""
    return [metric for metric in metrics() if metric.use == use]


def shown(place: str) -> list[str]:
    """Return the names of the metrics in a table of the report, in the order of its columns."""
    return [metric.name for metric in metrics() if metric.shown == place]


def deciding(task: str) -> list[Metric]:
    """Return the metrics that can decide which model of a task is best."""
    return [metric for metric in metrics() if metric.use in DECIDING[task] and metric.has_direction]


def primary(chosen: Mapping[str, str], task: str, dataset: str = "") -> str:
    """Return the name of the score that decides: the one chosen for the data set or its task, or the task's first.

    Raises:
        ValueError: if it cannot decide this task, which params.yaml does not always tell.
    """
    accepted = [metric.name for metric in deciding(task)]
    found = chosen.get(dataset) or chosen.get(task) or accepted[0]
    if found not in accepted:
        raise ValueError(f"comparison.primary: {found!r} cannot decide; of {task} models {', '.join(accepted)} can")
    return found


def beside(primary: str, task: str) -> str | None:
    """Return the name of the score that stands beside the deciding one; None for a task without."""
    return next((name for name in reversed(SIDE_BY_SIDE.get(task, ())) if name != primary), None)


def scorers(
    name: str,
    predictions: Sequence[Array] | None,
    targets: Sequence[Array] | None,
    rows: Mapping[str, Sequence[Array]],
    weights: Sequence[Array] | None = None,
) -> list[Scorer] | None:
    """Return a score of each repeat as a function of the count of each test row; None if the data do not give it.

    Args:
        name: name of the metric in scores.csv.
        predictions: of each repeat (n, K) probabilities or (n,) values, None if the model makes no such predictions.
        targets: of each repeat (n,) true targets, None if there is not one per row.
        rows: name -> of each repeat (n, M), contributions of each row to scores of other answers.
        weights: of each repeat (n,); None where all rows count alike.
    """
    known = _scored(name, rows)
    if known is None:
        return None
    if name in rows:
        return weighted_scorers((scorer_of_rows(of_repeat, known.statistic) for of_repeat in rows[name]), weights)
    if predictions is None or targets is None or known.use not in ("classification", "regression"):
        return None
    found = (known.scorer(y, p.astype(np.float64)) for y, p in zip(targets, predictions, strict=True))
    return weighted_scorers(found, weights)


def row_scores(
    name: str,
    predictions: Sequence[Array] | None,
    targets: Sequence[Array] | None,
    rows: Mapping[str, Sequence[Array]],
    weights: Sequence[Array] | None = None,
) -> list[Array] | None:
    """Return of each repeat a score of each row, (n,), whose mean is the score; None where rows have none.

    Args:
        name, predictions, targets, rows, weights: as for `scorers`.
    """
    known = _scored(name, rows)
    if known is None or known.rows is None:
        return None
    given: Sequence[Array] | None = rows.get(name)
    if (
        given is None
        and predictions is not None
        and targets is not None
        and known.use in ("classification", "regression")
    ):
        given = [known.rows(y, p.astype(np.float64)) for y, p in zip(targets, predictions, strict=True)]
    of_rows: Sequence[Array | None] = weights or [None] * len(given or ())
    found = [known.row_scores(*of) for of in zip(given or (), of_rows, strict=True)] if given else []
    return [of for of in found if of is not None] if found and all(of is not None for of in found) else None


def _scored(name: str, rows: Mapping[str, Sequence[Array]]) -> Metric | None:
    return next((m for m in metrics() if m.name == name), None) or (named(name) if name in rows else None)
