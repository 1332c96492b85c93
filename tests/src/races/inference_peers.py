# Effective draws per second of samplers that install from the Python package index, on two reference posteriors: prints {name: [seconds, effective draws]}.
import json, sys, time, numpy as np
folder = sys.argv[1]
load = lambda name: json.load(open(f'{folder}/{name}.json'))
schools, kids = load('eight_schools'), load('kidiq')
y, s = np.array(schools['y'], float), np.array(schools['sigma'], float)
k, m = np.array(kids['kid_score'], float), np.array(kids['mom_iq'], float)
def eight(x):
    mu, lt, e = x[:, 0], x[:, 1], x[:, 2:]
    t = np.exp(lt)
    off = (y - mu[:, None] - t[:, None] * e) / s
    return -.02 * mu**2 - np.log1p((t / 5)**2) + lt - .5 * (e**2 + off**2).sum(1)
def kid(x):
    a, b, ls = x.T
    g = np.exp(ls)
    off = k - a[:, None] - b[:, None] * m
    return -np.log1p((g / 2.5)**2) + ls - len(k) * ls - .5 * (off**2).sum(1) / g**2
out = {}
try:
    import emcee
    for name, f, n, center, width in [('eight_schools', eight, 10, np.zeros(10), np.ones(10)), ('kidiq', kid, 3, np.array([26, .6, 2.9]), np.array([6, .06, .05]))]:
        rng = np.random.default_rng(1); w = 40
        best = None
        start = center + width * rng.normal(size=(w, n)) * .5
        sampler = emcee.EnsembleSampler(w, n, f, vectorize=True, moves=[(emcee.moves.DEMove(), .8), (emcee.moves.DESnookerMove(), .2)])
        t = time.perf_counter()
        sampler.run_mcmc(start, 12000)
        t = time.perf_counter() - t
        tau = sampler.get_autocorr_time(discard=2000, quiet=True).max()
        out['emcee_' + name] = [t, w * 10000 / tau]
except ImportError:
    pass
try:
    import nutpie, numba, arviz
    @numba.njit
    def eight_grad(x):
        mu, lt = x[0], x[1]; t = np.exp(lt); q = (t / 5)**2
        g = np.zeros(10); v = -.02 * mu * mu - np.log1p(q) + lt
        g[0] = -mu / 25; g[1] = 1 - 2 * q / (1 + q)
        for j in range(8):
            e = x[2 + j]; off = (y[j] - mu - t * e) / s[j]
            v -= .5 * (e * e + off * off)
            g[0] += off / s[j]; g[1] += off / s[j] * t * e; g[2 + j] = off / s[j] * t - e
        return v, g
    @numba.njit
    def kid_grad(x):
        a, b, ls = x[0], x[1], x[2]; sg = np.exp(ls); q = (sg / 2.5)**2
        s0 = 0.; s1 = 0.; s2 = 0.
        for i in range(len(k)):
            off = k[i] - a - b * m[i]; s0 += off; s1 += off * m[i]; s2 += off * off
        v = -np.log1p(q) + ls - len(k) * ls - .5 * s2 / sg**2
        return v, np.array([s0 / sg**2, s1 / sg**2, 1 - 2 * q / (1 + q) - len(k) + s2 / sg**2])
    from nutpie.compiled_pyfunc import from_pyfunc
    for name, f, n in [('eight_schools', eight_grad, 10), ('kidiq', kid_grad, 3)]:
        f(np.zeros(n))
        model = from_pyfunc(n, lambda f=f: f, lambda *seeds: (lambda x: {'x': x}), [np.dtype('float64')], [(n,)], ['x'])
        t = time.perf_counter()
        trace = nutpie.sample(model, chains=4, cores=2, tune=1000, draws=2000, progress_bar=False, seed=1)
        t = time.perf_counter() - t
        ess = float(arviz.ess(trace.posterior['x'] if 'x' in trace.posterior else trace)['x'].min())
        out['nutpie_' + name] = [t, ess]
except ImportError as e:
    print(e, file=sys.stderr)
print(json.dumps(out))
