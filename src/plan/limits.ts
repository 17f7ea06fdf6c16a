/**
 * How often a trouble of the infrastructure is met with another try, beside the step's own attempts; each attempt of a
 * command has so many.
 */
export const INFRASTRUCTURE_TRIES = 5;

/** The exit code with which a command says that not it but the infrastructure failed (`EX_TEMPFAIL`). */
export const EXIT_INFRASTRUCTURE = 75;

/** How long a service may take to be ready. */
export const SERVICE_READY_MILLISECONDS = 60_000;

/** Tokens that a judge is given at most: what is longer is cut, and it is told so. */
export const JUDGE_CONTEXT_TOKENS = 100_000;
