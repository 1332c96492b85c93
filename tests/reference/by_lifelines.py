"""Survival statistics by lifelines: reads tables as JSON from standard input, writes numbers by name as JSON to standard output.

A table: name, columns, times, events, rows (subjects x columns), groups (or null), looks; one with competing causes has `causes`
(null for censored, else 0 or 1) and times without ties. `reference/lifelines.rs` makes the tables and compares the numbers.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from lifelines import (
    AalenJohansenFitter,
    CoxPHFitter,
    CoxTimeVaryingFitter,
    GeneralizedGammaFitter,
    KaplanMeierFitter,
    LogLogisticAFTFitter,
    LogNormalAFTFitter,
    NelsonAalenFitter,
    WeibullAFTFitter,
)
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import restricted_mean_survival_time

warnings.simplefilter("ignore")
FINE = {"precision": 1e-11, "r_precision": 1e-15}


def frame(table):
    data = pd.DataFrame(table["rows"], columns=table["columns"])
    data["time"], data["event"] = table["times"], table["events"]
    return data


def curves(table, out):
    name, times, events = table["name"], table["times"], table["events"]
    survival = KaplanMeierFitter().fit(times, events)
    hazard = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(times, events)
    for look in table["looks"]:
        out[f"{name}.kaplan_meier_{look:g}"] = survival.predict(look)
        out[f"{name}.nelson_aalen_{look:g}"] = hazard.predict(look)
    out[f"{name}.restricted_mean"] = restricted_mean_survival_time(survival, t=table["looks"][-1])
    if np.isfinite(survival.median_survival_time_):
        out[f"{name}.median"] = survival.median_survival_time_
    if table["groups"]:
        out[f"{name}.log_rank"] = multivariate_logrank_test(times, table["groups"], events).test_statistic


def generalized_gamma(table, out):
    # Without covariates: its regression of this law does not find the maximum from its own start.
    fit = GeneralizedGammaFitter().fit(table["times"], table["events"])
    name = f"{table['name']}.generalized_gamma"
    out[f"{name}.ln_likelihood"] = fit.log_likelihood_


def cox(table, out):
    name, data = table["name"], frame(table)
    fit = CoxPHFitter().fit(data, "time", "event", fit_options=FINE)
    out[f"{name}.cox.ln_likelihood"] = fit.log_likelihood_
    for column in table["columns"]:
        out[f"{name}.cox.{column}"] = fit.params_[column]
        out[f"{name}.cox.{column}_se"] = fit.standard_errors_[column]


def accelerated(table, out):
    name = table["name"]
    laws = {
        "weibull": (WeibullAFTFitter, "lambda_", "rho_"),
        "log_normal": (LogNormalAFTFitter, "mu_", "sigma_"),
        "log_logistic": (LogLogisticAFTFitter, "alpha_", "beta_"),
    }
    for law, (fitter, location, scale) in laws.items():
        # Its optimizer stops too early where covariates are far from 0: they are centered, and the intercept moved back.
        data = frame(table)
        means = data[table["columns"]].mean()
        data[table["columns"]] -= means
        fitter = fitter()
        fitter._scipy_fit_method = "SLSQP"
        fit = fitter.fit(data, "time", "event", fit_options={"ftol": 1e-16, "maxiter": 5000})
        effects = fit.params_[location]
        ln_scale = fit.params_[scale]["Intercept"]
        out[f"{name}.{law}.intercept"] = effects["Intercept"] - sum(effects[c] * means[c] for c in table["columns"])
        out[f"{name}.{law}.ln_scale"] = ln_scale if law == "log_normal" else -ln_scale
        out[f"{name}.{law}.ln_likelihood"] = fit.log_likelihood_
        for column in table["columns"]:
            out[f"{name}.{law}.{column}"] = effects[column]


def competing(table, out):
    name = table["name"]
    data = frame(table)
    data["cause"] = [0 if cause is None else cause + 1 for cause in table["causes"]]
    curve = AalenJohansenFitter(calculate_variance=False).fit(data["time"], data["cause"], event_of_interest=1)
    for look in table["looks"]:
        out[f"{name}.aalen_johansen_{look:g}"] = curve.predict(look)
    # Fine and Gray: who had the other event stays at risk, with the weight of still being under observation.
    censoring = KaplanMeierFitter().fit(data["time"], data["cause"] == 0).survival_function_.iloc[:, 0]
    moments = np.sort(data.loc[data["cause"] == 1, "time"].to_numpy())
    before = lambda t: censoring.iloc[np.searchsorted(censoring.index.to_numpy(), t, side="left") - 1]
    at_moments = np.array([before(moment) for moment in moments])
    parts = []
    for subject, row in enumerate(data.itertuples(index=False)):
        x = [getattr(row, column) for column in table["columns"]]
        parts.append([subject, 0.0, row.time, int(row.cause == 1), 1.0, *x])
        if row.cause == 2:
            own, start = before(row.time), row.time
            later = np.searchsorted(moments, row.time, side="right")
            # One part for each stretch of equal weight.
            while later < len(moments):
                last = np.searchsorted(-at_moments, -at_moments[later], side="right") - 1
                parts.append([subject, start, moments[last], 0, at_moments[later] / own, *x])
                start, later = moments[last], last + 1
    long = pd.DataFrame(parts, columns=["id", "start", "stop", "event", "weight", *table["columns"]])
    fit = CoxTimeVaryingFitter().fit(
        long, id_col="id", start_col="start", stop_col="stop", event_col="event", weights_col="weight", fit_options=FINE
    )
    for column in table["columns"]:
        out[f"{name}.fine_gray.{column}"] = fit.params_[column]


def main():
    out = {}
    for table in json.load(sys.stdin):
        if "causes" in table:
            competing(table, out)
        else:
            curves(table, out)
            cox(table, out)
            accelerated(table, out)
            generalized_gamma(table, out)
    json.dump({key: float(value) for key, value in out.items()}, sys.stdout)


main()
