import { defineConfig } from 'vitest/config';
import { proving } from './test/support/proof.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes and real git, on machines that do something else as well; a proof takes as long as it takes.
    testTimeout: proving ? 3_600_000 : 30_000,
    hookTimeout: proving ? 600_000 : 60_000,
  },
});
