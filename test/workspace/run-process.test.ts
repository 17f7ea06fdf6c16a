import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processPlace, running, until } from './processes.ts';

/** A text in the command line of every process of a test, so that what is left of it can be found. */
let marks = 0;
const mark = () => `777${process.pid}${(marks += 1)}`;

describe('what comes out of a process', () => {
  it('is both streams, apart, with the exit code; the log has both', async () => {
    const { bash, folder, groups } = processPlace();
    const log = join(folder, 'log');
    writeFileSync(log, 'before\n');
    const ended = await bash('echo one; echo two >&2; exit 3', { log });
    expect(ended).toEqual({
      ended: 'exit',
      exitCode: 3,
      killedBy: undefined,
      message: undefined,
      stdout: { text: 'one\n', whole: 'one\n' },
      stderr: { text: 'two\n', whole: 'two\n' },
    });
    expect(readFileSync(log, 'utf8').split('\n').sort()).toEqual(['', 'before', 'one', 'two']);
    expect(groups.size).toBe(0);
  });

  it('can be written by the names of the streams, by tee, and again and again', async () => {
    const { bash } = processPlace();
    const ended = await bash(
      'echo a >/dev/stdout; echo b | tee /dev/stderr; echo c >/dev/stdout; cat /proc/self/fd/0',
    );
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout.text).toBe('a\nb\nc\n');
    expect(ended.stderr.text).toBe('b\n');
  });

  it('is nothing that a user has set up for their own shells', async () => {
    const { bash, folder } = processPlace();
    writeFileSync(join(folder, '.bashrc'), 'echo from bashrc');
    const ended = await bash('echo hello', { env: { PATH: process.env['PATH'] ?? '', HOME: folder } });
    expect(ended.stdout.text).toBe('hello\n');
  });

  it('finds its input closed', async () => {
    const { bash } = processPlace();
    expect(await bash('read line || echo "nothing: $?"')).toMatchObject({ stdout: { text: 'nothing: 1\n' } });
  });

  it('of 100 MB keeps head and tail in little memory, says how much is left out, and has all of it in the log', async () => {
    const { bash, folder } = processPlace();
    const log = join(folder, 'log');
    const size = 100 * 1024 * 1024;
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = 0;
    const ended = await bash(`echo begin; yes 'some line' | head -c ${size}; echo; echo end`, {
      log,
      onOutput: () => (most = Math.max(most, process.memoryUsage().rss)),
    });
    expect(statSync(log).size).toBe(size + 'begin\n\nend\n'.length);
    expect(ended.stdout.whole).toBeUndefined();
    expect(ended.stdout.text).toMatch(/^begin\nsome line\n/);
    expect(ended.stdout.text).toMatch(/some line\n.*\nend\n$/s);
    expect(ended.stdout.text).toContain(`\n… ${ended.stdout.omitted} bytes left out …\n`);
    expect(ended.stdout.omitted).toBe(size + 11 - 64 * 1024);
    // 32 MiB that could still be parsed, doubled once while it grows, and what Node has not collected yet.
    expect(most - before).toBeLessThan(220 * 1024 * 1024);
  });

  it('is whole for parsing although a record would be too long', async () => {
    const { bash } = processPlace();
    const ended = await bash('head -c 200000 /dev/zero | tr "\\0" x');
    expect(ended.stdout.whole).toBe('x'.repeat(200_000));
    expect(ended.stdout.omitted).toBe(200_000 - 64 * 1024);
    expect(ended.stdout.text.length).toBeLessThan(70_000);
  });

  it('may be any bytes: the log has them, the record shows what is text', async () => {
    const { bash, folder } = processPlace();
    const log = join(folder, 'log');
    const ended = await bash(String.raw`printf 'a\xff\xfe\x00b\xc3'`, { log });
    expect(ended.stdout.text).toBe('a\u{fffd}\u{fffd}\0b\u{fffd}');
    expect([...readFileSync(log)]).toEqual([0x61, 0xff, 0xfe, 0x00, 0x62, 0xc3]);
  });

  it('is shown character by character, and without secrets, wherever it is cut', async () => {
    const { bash, folder } = processPlace();
    const log = join(folder, 'log');
    const shown: string[] = [];
    const written = (bytes: number) =>
      until(`${bytes} bytes in the log`, () => existsSync(log) && statSync(log).size >= bytes);
    const ended = bash(
      String.raw`
        next() { until [ -e "$1" ]; do sleep 0.005; done; }
        printf 'euro \xe2\x82'; next 1; printf '\xac hunt'; next 2; printf 'er2; hunt'; next 3; printf 'ing hunter2'
      `,
      { log, secrets: ['hunter2', ''], onOutput: (_stream, text) => shown.push(text) },
    );
    await written('euro  '.length + 1);
    writeFileSync(join(folder, '1'), '');
    await written('euro    '.length + 1);
    writeFileSync(join(folder, '2'), '');
    await written('euro    ***; '.length);
    writeFileSync(join(folder, '3'), '');
    const { stdout } = await ended;
    expect(shown.join('|')).toBe('euro |€ |***; |hunting ***');
    expect(stdout.text).toBe('euro € ***; hunting ***');
    expect(readFileSync(log, 'utf8')).toBe('euro € ***; hunting ***');
  });

  it('is not lost when nobody had the time to read it', async () => {
    const { bash } = processPlace();
    const ended = bash('head -c 60000 /dev/zero | tr "\\0" x; echo done >&2');
    // The process has long ended and every timer is over before the first byte can be read.
    const busy = Date.now() + 800;
    setTimeout(() => {
      while (Date.now() < busy);
    }, 1);
    expect((await ended).stdout.text.length).toBe(60_000);
    expect((await ended).stderr.text).toBe('done\n');
  });
});

describe('a process that cannot be started', () => {
  it('is a result with what is wrong in words', async () => {
    const { run, folder } = processPlace();
    writeFileSync(join(folder, 'plain'), 'text');
    writeFileSync(join(folder, 'script'), 'echo run by sh\n');
    chmodSync(join(folder, 'script'), 0o755);
    const messages: (string | undefined)[] = [];
    const requests = [
      { argv: ['no-such-program', 'x'] as const },
      { argv: ['./nothing-here'] as const },
      { argv: ['bash'] as const, env: { PATH: folder } },
      { argv: ['true'] as const, cwd: join(folder, 'gone') },
      { argv: ['./plain'] as const },
      { argv: ['echo', 'x'.repeat(140_000)] as const },
      { argv: ['echo', 'a\0b'] as const },
    ];
    for (const request of requests) {
      const ended = await run({ ...request, argv: [...request.argv] as [string, ...string[]] });
      expect(ended).toMatchObject({ ended: 'failed', exitCode: undefined });
      messages.push(ended.message?.replaceAll(folder, '<folder>'));
    }
    expect(messages).toMatchInlineSnapshot(`
      [
        "there is no program "no-such-program" on PATH",
        "there is no program "./nothing-here"",
        "there is no program "bash" on PATH",
        "the directory it works in does not exist: <folder>/gone",
        ""./plain" cannot be executed: permission denied",
        "the arguments and environment of "echo" are too long for this system",
        ""echo" could not be started: The argument 'args[0]' must be a string without null bytes. Received 'a\\x00b'",
      ]
    `);
    // As a shell would: a script without a first line goes to sh.
    expect(await run({ argv: ['./script'] })).toMatchObject({ exitCode: 0, stdout: { text: 'run by sh\n' } });
  });

  it('takes nothing from the next one', async () => {
    const { run, bash, fifos } = processPlace();
    for (let index = 0; index < 40; index++) await run({ argv: ['no-such-program'] });
    expect(await bash('echo fine')).toMatchObject({ exitCode: 0, stdout: { text: 'fine\n' } });
    await fifos.close();
  });
});

describe('a process that has to end', () => {
  it('for a timeout gets SIGTERM, with all of its group, and time to clean up', async () => {
    const { bash, folder, groups } = processPlace();
    const ended = await bash(
      `bash -c 'trap "sleep 0.7; echo cleaned >${folder}/cleaned; exit" TERM; while :; do sleep 0.05; done' & echo up; wait`,
      { timeout: 300 },
    );
    expect(ended).toMatchObject({ ended: 'timeout', exitCode: undefined, stdout: { text: 'up\n' } });
    expect(readFileSync(join(folder, 'cleaned'), 'utf8')).toBe('cleaned\n');
    expect(groups.size).toBe(0);
  });

  it('and does not want to is killed after five seconds', async () => {
    const { bash, folder } = processPlace();
    const name = mark();
    const over = new AbortController();
    const begun = Date.now();
    const ended = bash(`trap '' TERM; touch up; while :; do sleep 1.${name}; done`, { signal: over.signal });
    await until('it runs', () => existsSync(join(folder, 'up')));
    over.abort();
    expect(await ended).toMatchObject({ ended: 'cancelled', killedBy: 'SIGKILL' });
    expect(Date.now() - begun).toBeGreaterThan(4_900);
    expect(running(name)).toEqual([]);
  }, 15_000);

  it('before it began is started for nothing', async () => {
    const { bash } = processPlace();
    const ended = await bash('sleep 30', { signal: AbortSignal.abort() });
    expect(ended.ended).toBe('cancelled');
  });

  it('by itself takes along what it left in its group', async () => {
    const { bash } = processPlace();
    const name = mark();
    const ended = await bash(`sleep 30.${name} & echo started`);
    expect(ended).toMatchObject({ ended: 'exit', exitCode: 0, stdout: { text: 'started\n' } });
    expect(running(name)).toEqual([]);
  });

  it('is not waited for longer because somebody who left its group holds its output open', async () => {
    const { bash } = processPlace();
    const name = mark();
    onTestFinished(() => running(name).forEach((pid) => process.kill(pid, 'SIGKILL')));
    const begun = Date.now();
    const ended = await bash(`setsid sleep 30.${name} & echo started`);
    expect(ended).toMatchObject({ ended: 'exit', exitCode: 0, stdout: { text: 'started\n' } });
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(running(name)).toHaveLength(1);
    // Its pipe is not given to the next one, which would else hear what it says.
    expect((await bash('echo mine')).stdout.text).toBe('mine\n');
  });
});

describe('a world without room', () => {
  it('for the log is told, and the process ended', async (context) => {
    const { bash, folder } = processPlace();
    const small = join(folder, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small], { stdio: 'ignore' });
    } catch {
      context.skip('a small file system cannot be mounted here');
    }
    onTestFinished(() => void execFileSync('umount', ['-l', small]));
    const name = mark();
    await expect(
      bash(`yes | head -c 1000000; sleep 30.${name}`, { log: join(small, 'log') }),
    ).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('no space left'),
      hint: expect.stringContaining('wf resume'),
    });
    expect(running(name)).toEqual([]);
  });

  it('for its pipes is told', async (context) => {
    const { folder, bash } = processPlace();
    try {
      execFileSync('chattr', ['+i', folder], { stdio: 'ignore' });
    } catch {
      context.skip('a folder cannot be made immutable here');
    }
    onTestFinished(() => void execFileSync('chattr', ['-i', folder]));
    await expect(bash('true')).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('permission denied'),
    });
    execFileSync('chattr', ['-i', folder]);
    expect((await bash('true')).exitCode).toBe(0);
  });
});
