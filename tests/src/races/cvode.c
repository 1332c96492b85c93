/* The problems of the races by CVODE (BDF, dense Newton with the Jacobian by CVODE's own differences).
   cvode_race PROBLEM RATE RTOL ATOL: prints the least time of a solution in seconds, then the state at the end. */
#include <cvode/cvode.h>
#include <math.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <time.h>

static int problem;
static double rate;
static const int sizes[] = {2, 3, 8, 2, 4};
static const double starts[5][8] = {
    {2, 0}, {1, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0.0057}, {0.76, 20}, {0, 1, 0, 4}};
static const double ends[] = {2, 1e11, 321.8122, 50, 168};

static int rates(sunrealtype t, N_Vector state, N_Vector slope, void *data) {
    double *x = N_VGetArrayPointer(state), *d = N_VGetArrayPointer(slope);
    if (problem == 0) {
        d[0] = x[1];
        d[1] = ((1 - x[0] * x[0]) * x[1] - x[0]) / 1e-6;
    } else if (problem == 1) {
        double slow = 0.04 * x[0], back = 1e4 * x[1] * x[2], fast = 3e7 * x[1] * x[1];
        d[0] = back - slow;
        d[1] = slow - back - fast;
        d[2] = fast;
    } else if (problem == 2) {
        double bound = 280 * x[5] * x[7];
        d[0] = -1.71 * x[0] + 0.43 * x[1] + 8.32 * x[2] + 0.0007;
        d[1] = 1.71 * x[0] - 8.75 * x[1];
        d[2] = -10.03 * x[2] + 0.43 * x[3] + 0.035 * x[4];
        d[3] = 8.32 * x[1] + 1.71 * x[2] - 1.12 * x[3];
        d[4] = -1.745 * x[4] + 0.43 * (x[5] + x[6]);
        d[5] = 0.69 * x[3] + 1.71 * x[4] - 0.43 * x[5] + 0.69 * x[6] - bound;
        d[6] = bound - 1.81 * x[6];
        d[7] = 1.81 * x[6] - bound;
    } else if (problem == 3) {
        d[0] = 1.131 * x[0] * x[1] / (x[1] + 20.19) + 0.1181 - 0.00311 * x[0] * x[1] - 0.3743 * x[0];
        d[1] = 1.636 * x[1] * (1 - 0.002 * x[1]) - x[0] * x[1];
    } else {
        double bound = rate * x[0] * x[1] - x[2];
        d[0] = -0.2 * x[0] - bound;
        d[1] = 2 * (1 - x[1]) - bound;
        d[2] = bound - x[2];
        d[3] = 0.02 * (8 - x[3]) - 0.05 * x[2];
    }
    return 0;
}

static int solve(double rtol, double atol, double *out) {
    int n = sizes[problem], doses = problem == 4 ? 8 : 1, failed = 0;
    SUNContext context;
    SUNContext_Create(NULL, &context);
    N_Vector x = N_VNew_Serial(n, context);
    for (int i = 0; i < n; i++) N_VGetArrayPointer(x)[i] = starts[problem][i];
    SUNMatrix matrix = SUNDenseMatrix(n, n, context);
    SUNLinearSolver linear = SUNLinSol_Dense(x, matrix, context);
    void *memory = CVodeCreate(CV_BDF, context);
    for (int dose = 0; dose < doses && !failed; dose++) {
        double from = problem == 4 ? 21.0 * dose : 0.0, to = problem == 4 ? 21.0 * (dose + 1) : ends[problem], t;
        if (problem == 4) N_VGetArrayPointer(x)[0] += 10.0;
        if (dose == 0) {
            CVodeInit(memory, rates, from, x);
            CVodeSStolerances(memory, rtol, atol);
            CVodeSetLinearSolver(memory, linear, matrix);
            CVodeSetMaxNumSteps(memory, 10000000);
        } else {
            CVodeReInit(memory, from, x);
        }
        CVodeSetStopTime(memory, to);
        failed = CVode(memory, to, x, &t, CV_NORMAL) < 0;
    }
    for (int i = 0; i < n; i++) out[i] = N_VGetArrayPointer(x)[i];
    CVodeFree(&memory);
    SUNLinSolFree(linear);
    SUNMatDestroy(matrix);
    N_VDestroy(x);
    SUNContext_Free(&context);
    return failed;
}

int main(int count, char **arguments) {
    if (count != 5) return 2;
    problem = atoi(arguments[1]);
    rate = atof(arguments[2]);
    double rtol = atof(arguments[3]), atol = atof(arguments[4]), out[8], best = 1e9, spent = 0;
    while (spent < 0.1) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        if (solve(rtol, atol, out)) {
            fprintf(stderr, "CVODE failed\n");
            return 1;
        }
        clock_gettime(CLOCK_MONOTONIC, &b);
        double took = (b.tv_sec - a.tv_sec) + 1e-9 * (b.tv_nsec - a.tv_nsec);
        spent += took;
        best = took < best ? took : best;
    }
    printf("%.9e", best);
    for (int i = 0; i < sizes[problem]; i++) printf(" %.17e", out[i]);
    printf("\n");
    return 0;
}
