"""Time to churn as a discrete-time survival model on person-month rows, scikit-learn MLP."""
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

MONTHS = 10
warnings.simplefilter("ignore", ConvergenceWarning)


def make_data():
    """Customers with 9 covariates, followed for up to 10 months; churn with censoring."""
    rng = np.random.default_rng(73)
    n = 1100
    x = rng.normal(size=(n, 9))
    risk = 0.9 * x[:, 0] - 0.7 * x[:, 1] + 0.8 * x[:, 2] * (x[:, 3] > 0) + 0.5 * np.sin(2 * x[:, 4])
    base = np.linspace(-3.2, -1.4, MONTHS)
    hazard = 1 / (1 + np.exp(-(base[None] + risk[:, None])))
    hit = rng.random((n, MONTHS)) < hazard
    churn = np.where(hit.any(1), hit.argmax(1), MONTHS)
    censor = rng.integers(2, MONTHS + 1, n)
    event = (churn < censor).astype(int)
    last = np.where(event == 1, churn, censor - 1)  # last month at risk
    x = x.astype(np.float32)
    cut = 850
    return (x[:cut], last[:cut], event[:cut]), (x[cut:], last[cut:], event[cut:])


def person_months(x, last, event):
    """One row per customer and month at risk: covariates, month one-hot; target: churned in this month."""
    who = np.repeat(np.arange(len(x)), last + 1)
    month = np.concatenate([np.arange(m + 1) for m in last])
    rows = np.concatenate([x[who], np.eye(MONTHS, dtype=np.float32)[month]], axis=1)
    target = ((month == last[who]) & (event[who] == 1)).astype(int)
    return rows, target


def concordance(risk, last, event):
    earlier = (last[:, None] < last[None, :]) & (event[:, None] == 1)
    return float(((risk[:, None] > risk[None, :]) * earlier).sum() / earlier.sum())


def report(p_rows, target, p_grid, last, event):
    nll = -np.mean(target * np.log(p_rows) + (1 - target) * np.log(1 - p_rows))
    survival = np.prod(1 - p_grid, axis=1)
    print(f"test: nll per person-month {nll:.4f}  concordance {concordance(-survival, last, event):.3f}")


def build_model():
    return MLPClassifier(hidden_layer_sizes=(24, 12), activation="relu", solver="adam",
                         learning_rate_init=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
                         alpha=0.05, batch_size=128, shuffle=True, max_iter=12,
                         tol=0.0, n_iter_no_change=10_000, early_stopping=False, random_state=0)


def main():
    train, (xv, last, event) = make_data()
    rows, target = person_months(*train)
    model = build_model().fit(rows, target)
    for epoch, loss in enumerate(model.loss_curve_):
        print(f"epoch {epoch + 1}: {loss:.4f}")
    rows_v, target_v = person_months(xv, last, event)
    all_months, _ = person_months(xv, np.full(len(xv), MONTHS - 1), np.zeros(len(xv), dtype=int))
    p_rows = model.predict_proba(rows_v)[:, 1]
    p_grid = model.predict_proba(all_months)[:, 1].reshape(len(xv), MONTHS)
    report(p_rows, target_v, p_grid, last, event)


if __name__ == "__main__":
    main()
