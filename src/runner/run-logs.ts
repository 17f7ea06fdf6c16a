import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedEvent } from '../journal/entry.ts';
import type { Place } from '../journal/event.ts';
import { transcriptLines } from './agent/transcript.ts';

/**
 * The log of one command of a run (of an attempt, a check, a service, or what prepared the workspace), or the transcript of an
 * agent's attempt or of a judge.
 */
export type RunLog = LogPlace &
  (
    | {
        /** Absolute path of the file. */
        readonly path: string;
      }
    | { readonly text: string }
  );

export interface LogPlace {
  /** Path of the step; of what belongs to no step, its own name: `prepare`, `service.database`. */
  readonly step: string;
  readonly item?: number;
  readonly iteration?: number;
  readonly attempt?: number;
  /** Index of the check under `verify`. */
  readonly check?: number;
}

/** Where the files of a run are: logs, handed-over bundles, scratch. */
export function runFolder(project: string, run: string): string {
  return join(project, '.wf', 'runs', run);
}

/** The file that the output of a command goes to. `key` is unique in its run. */
export function logFile(folder: string, key: string): string {
  return join(folder, 'logs', `${key.replace(/[^a-zA-Z0-9_.@#-]+/g, '_')}.log`);
}

/** The logs of a run that are there, in the order their commands began; what belongs to no step comes first. */
export function runLogs(folder: string, record: readonly RecordedEvent[]): readonly RunLog[] {
  const names = existsSync(join(folder, 'logs')) ? readdirSync(join(folder, 'logs')).sort() : [];
  const around = names
    .filter((name) => /^(prepare|service\..+)\.log$/.test(name))
    .map((name): RunLog => ({ step: name.replace(/\.log$/, ''), path: join(folder, 'logs', name) }));
  const transcripts = new Map<string, LogPlace & { text: string }>();
  const ofSteps = record.flatMap(({ key, event }): RunLog[] => {
    if (key === null) return [];
    const lines = transcriptLines(event);
    if (lines !== undefined) {
      const at = { ...placeIn(event as Place), ...('check' in event && { check: event.check }) };
      const name = JSON.stringify(at);
      const begun = transcripts.get(name);
      if (begun) {
        begun.text += `${lines}\n`;
        return [];
      }
      const transcript = { ...at, text: `${lines}\n` };
      transcripts.set(name, transcript);
      return [transcript];
    }
    switch (event.type) {
      // The engine keeps the start of what it does beside its end, under the same name with a mark before it.
      case 'attempt.started':
        return [{ ...placeIn(event), path: logFile(folder, key.replace(/^>/, '')) }];
      case 'check.passed':
      case 'check.failed':
        return [{ ...placeIn(event), check: event.check, path: logFile(folder, key) }];
      default:
        return [];
    }
  });
  return [...around, ...ofSteps.filter((log) => 'text' in log || existsSync(log.path))];
}

function placeIn(event: Place): LogPlace {
  const { step = '', item, iteration, attempt } = event;
  return {
    step,
    ...(item !== undefined && { item }),
    ...(iteration !== undefined && { iteration }),
    ...(attempt !== undefined && { attempt }),
  };
}
