import { parentPort, workerData } from 'node:worker_threads';
import { checkPart } from '../plan/check-project.ts';
import type { ThreadTask } from './check-threads.ts';
import { projectAt } from './project-loader.ts';

const { root, paths } = workerData as ThreadTask;
parentPort?.postMessage(await checkPart(projectAt(root), paths));
