// Prints the bytes of the plan of formula `a` in the current folder, in a process of its own.
import { compileFormula } from '../../src/plan/compile.ts';
import { openProject } from '../../src/workspace/project-loader.ts';

const { plan, diagnostics } = await compileFormula(openProject(process.cwd()), 'a');
process.stdout.write(JSON.stringify(plan ?? diagnostics));
