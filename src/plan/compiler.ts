/** Who compiled a plan. Outside of its digest: a newer compiler that means the same gives the same name. */
export const COMPILER = 'wf 0.1.0';
