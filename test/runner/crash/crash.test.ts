import { describe, expect, it } from 'vitest';
import { proving } from '../../support/proof.ts';
import type { Driven, Driver } from './crash-project.ts';
import { CrashProject, finishedWork, untilNothingRuns } from './crash-project.ts';
import { temporaryDirectory } from '../../journal/project.ts';

/** What is added up over all runs, and printed. */
interface Counts {
  kills: number;
  runs: number;
  /** Pieces of work that were under way at a kill and were begun again. */
  again: number;
  /** The longest that something of a run lived on after its driver, in milliseconds. */
  longest: number;
}

/** Drives a run through any number of deaths to its end, and looks at each that nothing finished is done again. */
class Life {
  readonly project: CrashProject;
  readonly #counts: Counts;
  readonly #formula: string;

  constructor(formula: string, counts: Counts) {
    this.project = new CrashProject(temporaryDirectory());
    this.#formula = formula;
    this.#counts = counts;
  }

  /** Begins the run, or carries it on; `live` says when the process dies, if it does. */
  async process(options: object, live: (driver: Driver) => Promise<Driven>): Promise<Driven> {
    const { project } = this;
    const run = await project.run();
    const before = run === undefined ? [] : await project.events(run);
    const finished = finishedWork(before);
    const noted = project.notes().length;
    const driver = run === undefined ? project.start(this.#formula, options) : project.resume(run, options);
    const driven = await live(driver);
    expect(driven.stderr).toBe('');
    if (driven.killed) this.#counts.kills += 1;
    const fresh = project.notes().slice(noted);
    expect(fresh.map(({ what, place }) => `${what} ${place}`).filter((line) => finished.has(line))).toEqual(
      [],
    );
    if (run !== undefined) expect((await project.events(run)).slice(0, before.length)).toEqual(before);
    return driven;
  }

  /** What a dead driver started ends by itself. */
  async orphansEnd(): Promise<void> {
    const run = await this.project.run();
    if (run === undefined) return;
    const milliseconds = await untilNothingRuns(run);
    expect(milliseconds, 'something still runs five seconds after its driver died').toBeDefined();
    this.#counts.longest = Math.max(this.#counts.longest, milliseconds ?? 0);
  }

  /** Compares the end with that of a run that nobody disturbed. */
  async ended({ state, code, stderr }: Driven, undisturbed: Undisturbed): Promise<void> {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    if (state === undefined) throw new Error('it ended without a state');
    expect(this.project.end(state)).toEqual(undisturbed.end);
    const ends = this.project.notes().filter(({ what }) => what === 'end');
    expect([...new Set(ends.map(({ place }) => place))].sort()).toEqual(undisturbed.places);
    expect(ends.filter(({ place }) => place.startsWith('deploy@')).length).toBeLessThanOrEqual(1);
    expect(await untilNothingRuns(state.run)).toBeDefined();
    this.#counts.runs += 1;
    this.#counts.again += ends.length - undisturbed.places.length;
  }
}

interface Undisturbed {
  readonly end: object;
  /** Of the actions that came to their end. */
  readonly places: readonly string[];
  readonly events: number;
  readonly milliseconds: number;
}

const references = new Map<string, Promise<Undisturbed>>();

/** A run of the formula that nobody kills; made once. */
function undisturbed(formula: string): Promise<Undisturbed> {
  const reference = references.get(formula) ?? runUndisturbed(formula);
  references.set(formula, reference);
  return reference;
}

async function runUndisturbed(formula: string): Promise<Undisturbed> {
  const project = new CrashProject();
  const begun = performance.now();
  const { state, stderr } = await project.start(formula).ended;
  const milliseconds = performance.now() - begun;
  if (state === undefined) throw new Error(stderr);
  expect(await untilNothingRuns(state.run)).toBeDefined();
  const ends = project.notes().filter(({ what }) => what === 'end');
  return {
    end: project.end(state),
    places: ends.map(({ place }) => place).sort(),
    events: (await project.events(state.run)).length,
    milliseconds,
  };
}

/** Two at a time: a run waits for git and for the disk as much as it computes. */
async function inPairs<T>(list: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < list.length) await work(list[next++] as T);
  };
  await Promise.all([lane(), lane()]);
}

function told(what: string, { kills, runs, again, longest }: Counts): void {
  console.log(
    `${what}: ${kills} kills, ${runs} runs came to the same end; 0 pieces of finished work repeated, ` +
      `${again} that were under way done again; what was left running ended within ${Math.round(longest)} ms`,
  );
}

/** A fixed sequence of fractions, spread evenly, so that a failure can be had again, near enough. */
const fraction = (index: number): number => (index * 0.618_033_988_75) % 1;

describe.each(['everything', 'unlucky'])('the run of %s', (formula) => {
  it('killed after any event comes to the same end', { timeout: 3_600_000 }, async () => {
    const reference = await undisturbed(formula);
    const counts: Counts = { kills: 0, runs: 0, again: 0, longest: 0 };
    const few = formula === 'everything' ? 2 : 4;
    const every = proving ? 1 : Math.ceil(reference.events / few);
    const places = Array.from({ length: reference.events }, (_, index) => index + 1);
    await inPairs(
      places.filter((place) => (place + 9) % every === 0),
      async (killAt) => {
        const life = new Life(formula, counts);
        const first = await life.process({ killAt }, (driver) => driver.ended);
        // Half of them are carried on at once, while what the dead driver left may still run.
        if (killAt % 2 === 0) await life.orphansEnd();
        const last = first.killed ? await life.process({}, (driver) => driver.ended) : first;
        await life.ended(last, reference);
      },
    );
    told(`${formula}, after every ${every === 1 ? '' : `${every}th `}event`, counts);
    expect(counts.kills).toBeGreaterThanOrEqual(few);
  });

  it(
    'killed at any time, alone or with all it started, comes to the same end',
    { timeout: 3_600_000 },
    async () => {
      const reference = await undisturbed(formula);
      const counts: Counts = { kills: 0, runs: 0, again: 0, longest: 0 };
      const wanted = proving ? 100 : 2;
      let lives = 0;
      const lane = async (): Promise<void> => {
        while (counts.kills < wanted) {
          const life = new Life(formula, counts);
          for (;;) {
            const number = lives++;
            const last = await life.process({}, async (driver) => {
              if (counts.kills >= wanted) return driver.ended;
              const timer = setTimeout(
                () => (number % 2 === 0 ? driver.kill() : driver.killAll()),
                fraction(number) * reference.milliseconds,
              );
              const driven = await driver.ended;
              clearTimeout(timer);
              return driven;
            });
            if (!last.killed) {
              await life.ended(last, reference);
              break;
            }
            if (number % 3 === 0) await life.orphansEnd();
          }
        }
      };
      await Promise.all([lane(), lane()]);
      told(`${formula}, at any time`, counts);
    },
  );
});
