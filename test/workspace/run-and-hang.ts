// A runner that starts children of every kind and waits: `node run-and-hang.ts <folder> <run> <mark>`. It says `ready`
// when all of them run.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FifoPool } from '../../src/workspace/fifo-pool.ts';
import { runProcess } from '../../src/workspace/run-process.ts';
import { Watchdog } from '../../src/workspace/watchdog.ts';

const [folder = '', run = '', mark = ''] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const fifos = new FifoPool(join(folder, 'pipes'));
const registry = new Watchdog(folder, run);
registry.start();

const scripts = [
  // Of good will.
  `touch a; sleep 600.${mark}`,
  // Deaf to SIGTERM, with a child that is so too.
  `trap '' TERM; bash -c 'touch b; while :; do sleep 5.${mark}; done'`,
  // Out of its group and its session.
  `setsid bash -c 'touch c; trap "" TERM; while :; do sleep 7.${mark}; done' & wait`,
  // Its parent is gone.
  `(setsid sleep 800.${mark} &) ; touch d; sleep 600.${mark}`,
];
const all = scripts.map((script) =>
  runProcess(
    {
      argv: ['bash', '--norc', '--noprofile', '-c', script],
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', WF_RUN: run },
      signal: new AbortController().signal,
      secrets: [],
    },
    { fifos, registry },
  ),
);
const timer = setInterval(() => {
  if (!['a', 'b', 'c', 'd'].every((name) => existsSync(join(folder, name)))) return;
  clearInterval(timer);
  console.log('ready');
}, 10);
await Promise.all(all);
