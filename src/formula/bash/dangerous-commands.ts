import { isSpecialVariable } from './special-variables.ts';
import type { CommandWord } from './words.ts';

/** Why a value must not stand in a command, and what to write instead when that is not the environment. */
export interface Danger {
  readonly why: string;
  readonly help?: string;
}

/** A value that chooses what is run. */
export const COMMAND_NAME: Danger = {
  why: 'it would be the name of the command that is run',
  help: 'write the command out; where there are several, choose with `case "{{…}}" in a) a-command ;; esac`',
};

/** Programs that run the text of a file, of `-c` or `-e`, or of standard input. */
const INTERPRETERS =
  /^(?:(?:ba|da|z|k|mk|a|fi|c|tc)?sh|python[\d.]*|pypy[\d.]*|node|nodejs|deno|bun|tsx|ts-node|ruby|perl|php|lua[\d.]*|tclsh|Rscript|julia|osascript|pwsh)$/;

const SHELLS = /^(?:ba|da|z|k|mk|a|fi|c|tc)?sh$/;

/** Programs with a language of their own, in which something can be run, in any of their words and on standard input. */
const LANGUAGES = /^(?:psql|mysql|mariadb|sqlite3|ed|ex|vi|vim|nvim|emacs|gdb|m4|dc|expect|gnuplot)$/;

/** Commands whose words are a command, or code, in ways that no quoting makes safe. */
const CODE_TAKERS =
  /^(?:eval|source|\.|trap|alias|let|bind|complete|compgen|enable|coproc|ssh|scp|sftp|su|runuser|watch|parallel|script|flock|at|batch|crontab|screen|tmux|nsenter|chroot|unshare|systemd-run|make|gmake|ninja|man|less|more)$/;

/** Of those and others, the ones that run what they read. */
const INPUT_TAKERS =
  /^(?:ssh|su|runuser|parallel|script|at|batch|crontab|screen|tmux|nsenter|chroot|unshare|systemd-run)$/;

/** Builtins that take names of variables, in which `a[$(…)]` is code. */
const NAME_TAKERS = /^(?:read|mapfile|readarray|getopts|unset|declare|typeset|local|readonly|export|wait)$/;

/** Commands before a command, and which of their options have a word of their own. */
const WRAPPERS: ReadonlyMap<string, RegExp> = new Map([
  ['env', /^(?:-u|--unset|-C|--chdir)$/],
  ['command', /^$/],
  ['builtin', /^$/],
  ['exec', /^-a$/],
  ['nohup', /^$/],
  ['time', /^(?:-o|-f|--output|--format)$/],
  ['nice', /^(?:-n|--adjustment)$/],
  ['ionice', /^-[cn]$/],
  ['timeout', /^(?:-k|-s|--kill-after|--signal)$/],
  ['setsid', /^$/],
  ['stdbuf', /^-[ioe]$/],
  ['sudo', /^(?:-[ughpCrtTU]|--user|--group|--host|--prompt)$/],
  ['doas', /^-[uC]$/],
  ['xargs', /^(?:-[InLPsdEa]|--delimiter|--max-args|--max-procs|--max-lines|--max-chars|--arg-file|--eof)$/],
  ['npx', /^(?:-p|--package|-w|--workspace)$/],
  ['pnpx', /^(?:-p|--package)$/],
  ['bunx', /^(?:-p|--package)$/],
  ['busybox', /^$/],
]);

/** What is known of a program that has options with which it runs something. */
interface Options {
  /** Options whose argument is run, is settings that run something, or chooses where those come from. */
  readonly running: RegExp;
  /** Options whose next word is always their argument, and only data. */
  readonly data: RegExp;
  /** What ends the options. */
  readonly end: string;
}

const OPTIONS: ReadonlyMap<string, Options> = new Map(
  Object.entries({
    git: {
      running:
        /^(?:-[cCuxOs]|--(?:exec|exec-path|config|config-env|git-dir|work-tree|template|upload-pack|receive-pack|extcmd|open-files-in-pager|tool|strategy|separate-git-dir|\w+-filter|\w+-cmd|smtp-server))$/,
      data: /^(?:-[a-z]*m|-[bBnSGLto]|--(?:message|branch|author|date|since|until|after|before|grep|format|pretty|max-count|depth|origin|onto|trailer|pathspec-from-file|file))$/,
      end: '--end-of-options',
    },
    tar: {
      running:
        /^(?:-[IF]|--(?:to-command|checkpoint-action|use-compress-program|rsh-command|rmt-command|info-script|new-volume-script))$/,
      data: /^(?:-C|--(?:directory|exclude|transform))$/,
      end: '--',
    },
    rsync: { running: /^(?:-e|--(?:rsh|rsync-path))$/, data: /^--(?:exclude|include)$/, end: '--' },
    zip: { running: /^(?:-TT|--unzip-command)$/, data: /^-x$/, end: '--' },
    wget: {
      running: /^(?:-e|--(?:execute|config|use-askpass))$/,
      data: /^(?:-[OPUT]|--(?:output-document|directory-prefix|header|user-agent))$/,
      end: '--',
    },
    sort: { running: /^--compress-program$/, data: /^-[kto]$/, end: '--' },
    split: { running: /^--filter$/, data: /^-[lban]$/, end: '--' },
    rg: { running: /^--(?:pre|hostname-bin)$/, data: /^-[egtTABCm]$/, end: '--' },
    fd: { running: /^(?:-[xX]|--exec|--exec-batch)$/, data: /^-[eEtd]$/, end: '--' },
    npm: {
      running: /^--(?:script-shell|node-options|userconfig|globalconfig|prefix|git|call|editor|viewer)$/,
      data: /^(?:-w|--(?:tag|workspace|registry|otp|access))$/,
      end: '--',
    },
    go: { running: /^--?(?:exec|toolexec|ldflags|vettool|C)$/, data: /^--?(?:run|o|count|tags)$/, end: '--' },
    cargo: {
      running: /^--(?:config|manifest-path)$/,
      data: /^(?:-p|--(?:package|features|bin))$/,
      end: '--',
    },
    docker: { running: /^(?:-[Hc]|--(?:host|config|context))$/, data: /^-[a-z]$|^--[a-z-]+$/, end: '--' },
    kubectl: { running: /^--(?:kubeconfig|context)$/, data: /^-[a-z]$|^--[a-z-]+$/, end: '--' },
    helm: {
      running: /^--(?:kubeconfig|kube-context|post-renderer)$/,
      data: /^-[a-z]$|^--[a-z-]+$/,
      end: '--',
    },
  } satisfies Record<string, Options>),
);

const SAME: Readonly<Record<string, string>> = { pnpm: 'npm', yarn: 'npm', podman: 'docker', fdfind: 'fd' };

/** Words after which `docker`, `git` and others take a command. */
const SUBCOMMANDS: Readonly<Record<string, RegExp>> = {
  docker: /^(?:run|exec|create|compose|plugin|buildx)$/,
  kubectl: /^(?:run|exec|debug|plugin|cp)$/,
  helm: /^(?:plugin)$/,
  git: /^(?:config|filter-branch|for-each-repo|difftool|mergetool|send-email)$/,
  npm: /^(?:exec|x|explore|config|set|dlx)$/,
  cargo: /^$/,
};

/** Why the values in a command's words could become code; undefined: they stay data. */
export function commandDanger(words: readonly CommandWord[]): Danger | undefined {
  const [name, ...args] = words;
  if (!name) return undefined;
  if (name.tainted) return COMMAND_NAME;
  if (!args.some((word) => word.tainted)) return undefined;
  if (name.literal === undefined) return { why: 'the command is only known when it runs' };
  const program = programOf(name.literal);
  if (CODE_TAKERS.test(program) || LANGUAGES.test(program)) return runs(program);
  if (WRAPPERS.has(program)) return wrappedDanger(program, args);
  if (INTERPRETERS.test(program)) return interpreterDanger(program, args);
  if (program === 'find') return findDanger(args);
  if (/^g?sed$/.test(program)) return sedDanger(program, args);
  if (/^[gmn]?awk$/.test(program)) return awkDanger(program, args);
  if (program === 'jq' || program === 'yq') return jqDanger(program, args);
  if (program === 'printf') return printfDanger(args);
  if (program === 'hash') return runs(program);
  if (program === 'test' || program === '[') return testDanger(args);
  if (NAME_TAKERS.test(program)) return { why: `\`${program}\` would take it as the name of a variable` };
  const options = OPTIONS.get(SAME[program] ?? program);
  return options && optionDanger(program, args, options);
}

/** Whether a command runs what comes in on standard input. */
export function runsStandardInput(words: readonly CommandWord[]): boolean {
  const [name, ...args] = words;
  if (!name) return false;
  if (name.literal === undefined) return true;
  const program = programOf(name.literal);
  if (program === 'xargs') return xargsRunsInput(args);
  if (WRAPPERS.has(program)) return runsStandardInput(args.slice(commandAt(program, args)));
  if (program === 'coproc')
    return args.some((word) => word.literal !== undefined && isInterpreter(word.literal));
  if (/^(?:docker|podman|kubectl)$/.test(program))
    return args.some((word) => /^(?:run|exec|debug)$/.test(word.literal ?? ''));
  if (INPUT_TAKERS.test(program) || LANGUAGES.test(program)) return true;
  if (program === 'source' || program === '.') return isStandardInput(args[0]);
  if (/^g?sed$|^[gmn]?awk$|^make$/.test(program))
    return args.some((word, at) => word.literal === '-f' && isStandardInput(args[at + 1]));
  if (!INTERPRETERS.test(program)) return false;
  if (args.some((word) => /^(?:-[a-zA-Z]*[ce]|-p|--eval|--print)$/.test(word.literal ?? ''))) {
    // What it runs is the author's text; but a shell hands its input on to whatever that starts.
    return SHELLS.test(program);
  }
  const [first] = args.slice(flagsOf(program, args));
  if (program.startsWith('py') && first?.literal === '-m') return false;
  return first?.literal === undefined || first.literal.startsWith('-') || isStandardInput(first);
}

/** Files whose text a command runs: the words to look at. */
export function scriptsOf(words: readonly CommandWord[]): readonly CommandWord[] {
  const [name, ...args] = words;
  if (name?.literal === undefined) return [];
  const program = programOf(name.literal);
  if (WRAPPERS.has(program)) return scriptsOf(args.slice(commandAt(program, args)));
  if (program === 'source' || program === '.') return args.slice(0, 1);
  return INTERPRETERS.test(program) || LANGUAGES.test(program) ? args : [name];
}

function isInterpreter(word: string): boolean {
  return INTERPRETERS.test(programOf(word)) || LANGUAGES.test(programOf(word));
}

function isStandardInput(word: CommandWord | undefined): boolean {
  return (
    word?.literal !== undefined &&
    /^(?:-|\/dev\/stdin|\/dev\/fd\/\d+|\/proc\/\w+\/fd\/\d+)$/.test(word.literal)
  );
}

function programOf(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1);
}

function runs(program: string): Danger {
  return { why: `\`${program}\` may run what it is given` };
}

/** Where the wrapped command begins. */
function commandAt(program: string, args: readonly CommandWord[]): number {
  const withWord = WRAPPERS.get(program) ?? /^$/;
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] as CommandWord;
    if (/^[A-Za-z_]\w*=/.test(word.prefix) && /^(?:env|sudo|doas)$/.test(program)) continue;
    if (word.literal === undefined || !word.literal.startsWith('-')) break;
    if (word.literal === '--') {
      at++;
      break;
    }
    if (withWord.test(word.literal)) at++;
  }
  return program === 'timeout' ? at + 1 : at;
}

function wrappedDanger(program: string, args: readonly CommandWord[]): Danger | undefined {
  const inner = commandAt(program, args);
  for (const word of args.slice(0, inner)) {
    if (program === 'command' && /^-[vV]$/.test(word.literal ?? '')) return undefined;
    if (/^(?:-S|--split-string|-c|--call)/.test(word.prefix)) return runs(program);
    if (!word.tainted) continue;
    const variable = /^([A-Za-z_]\w*)=/.exec(word.prefix)?.[1];
    if (variable === undefined)
      return { why: `\`${program}\` may take it for an option or for the command it runs` };
    if (isSpecialVariable(variable)) return actsUpon(variable);
  }
  return commandDanger(args.slice(inner));
}

/** Why a variable of that name is not for values. */
export function actsUpon(variable: string): Danger {
  return {
    why: `bash and the programs it starts act upon ${variable}`,
    help: `give the value to a variable of another name`,
  };
}

function xargsRunsInput(args: readonly CommandWord[]): boolean {
  const at = commandAt('xargs', args);
  const options = args.slice(0, at);
  const inner = args.slice(at);
  if (inner.length === 0) return false;
  const input: CommandWord = { literal: undefined, prefix: '', tainted: true, loose: true };
  const place = options.flatMap((word, index) => {
    const [, attached] = /^(?:-I|-i|--replace=?)(.*)$/.exec(word.literal ?? '') ?? [];
    if (attached === undefined) return [];
    return [
      attached !== '' ? attached : word.literal === '-I' ? (options[index + 1]?.literal ?? '{}') : '{}',
    ];
  })[0];
  const words =
    place === undefined
      ? [...inner, input]
      : inner.map((word) =>
          word.literal?.includes(place) === false
            ? word
            : { ...input, prefix: word.prefix.split(place)[0] ?? '' },
        );
  return commandDanger(words) !== undefined;
}

/** How many flags without a word of their own stand first. */
function flagsOf(program: string, args: readonly CommandWord[]): number {
  const flags = SHELLS.test(program)
    ? /^-[aefhkmnptuvxBCEHPT]+$/
    : program.startsWith('py')
      ? /^-[bBdEhiIOqsSuvx]+$/
      : /^$/;
  const count = args.findIndex((word) => word.literal === undefined || !flags.test(word.literal));
  return count < 0 ? args.length : count;
}

function interpreterDanger(program: string, args: readonly CommandWord[]): Danger | undefined {
  const [first, second, ...rest] = args.slice(flagsOf(program, args));
  if (first?.literal !== undefined && first.literal !== '' && !first.literal.startsWith('-')) {
    return undefined;
  }
  // Of these, what comes after the text or `-` is arguments; others go on looking for options.
  if (program.startsWith('py') && first?.literal === '-c' && second?.literal !== undefined) return undefined;
  if (first?.literal === '-' && !first.tainted && !SHELLS.test(program)) return undefined;
  if (program.startsWith('py') && first?.literal === '-m' && second?.literal !== undefined) {
    return rest.length === 0 ? runs(program) : undefined;
  }
  return { why: `\`${program}\` would run it, unless a script file is its first word` };
}

function findDanger(args: readonly CommandWord[]): Danger | undefined {
  const exec = args.findIndex((word) => /^-(?:exec|execdir|ok|okdir)$/.test(word.literal ?? ''));
  const before = exec < 0 ? args : args.slice(0, exec);
  const loose = before.some(
    (word, at) =>
      word.tainted &&
      (word.prefix === '' || word.loose) &&
      !/^-(?:i?name|i?path|i?wholename|i?lname|newer|size|user|group|type|[amc]time|[amc]min|i?regex|maxdepth|mindepth|perm)$/.test(
        args[at - 1]?.literal ?? '',
      ),
  );
  if (loose) {
    return {
      why: '`find` would take a value that begins with "-" as an option, and it has options that run something',
      help: 'write `./` before it, or test for it with `-path`',
    };
  }
  return exec < 0 ? undefined : commandDanger(args.slice(exec + 1));
}

/** GNU sed takes options everywhere, and its scripts can run commands. */
function sedDanger(program: string, args: readonly CommandWord[]): Danger | undefined {
  const end = args.findIndex((word) => word.literal === '--');
  const given = args.some((word) => /^(?:-[a-zA-Z]*[ef]|--expression|--file)/.test(word.prefix));
  const script = given
    ? -1
    : args.findIndex(
        (word) => word.literal === undefined || (word.literal !== '--' && !word.literal.startsWith('-')),
      );
  for (const [at, word] of args.entries()) {
    if (!word.tainted) continue;
    if (
      at === script ||
      (script < 0 && !given) ||
      word.prefix.startsWith('-') ||
      /^(?:-[a-zA-Z]*[ef]|--expression|--file)$/.test(args[at - 1]?.literal ?? '')
    )
      return { why: `it would be part of \`${program}\`'s program` };
    if (word.prefix === '' && !(end >= 0 && at > end)) return asOption(program, '--');
  }
  return undefined;
}

function awkDanger(program: string, args: readonly CommandWord[]): Danger | undefined {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as CommandWord;
    if (word.literal === '-v' || word.literal === '-F') {
      at++;
      const next = args[at];
      if (word.literal === '-v' && next?.tainted && !/^[A-Za-z_]\w*=/.test(next.prefix)) break;
      continue;
    }
    // What comes after the program is a file or an assignment: awk takes no options there.
    if (word.literal !== undefined && !word.literal.startsWith('-')) return undefined;
    if (word.tainted)
      return {
        why: `it would be part of \`${program}\`'s program`,
        help: `hand it over with \`-v name={{…}}\``,
      };
    if (/^-(?:f|e|i|l|-)/.test(word.prefix)) break;
  }
  return { why: `it would be part of \`${program}\`'s program`, help: `hand it over with \`-v name={{…}}\`` };
}

function jqDanger(program: string, args: readonly CommandWord[]): Danger | undefined {
  const named = (at: number) =>
    /^--(?:arg|argjson|slurpfile|rawfile)$/.test(args[at - 2]?.literal ?? '') &&
    args[at - 1]?.literal !== undefined;
  const names = new Set(
    args.flatMap((word, at) =>
      /^--(?:arg|argjson|slurpfile|rawfile)$/.test(word.literal ?? '') ? [at, at + 1, at + 2] : [],
    ),
  );
  const filter = args.findIndex(
    (word, at) => !names.has(at) && (word.literal === undefined || !word.literal.startsWith('-')),
  );
  return args.some((word, at) => word.tainted && !named(at) && (filter < 0 || at <= filter))
    ? {
        why: `it would be part of \`${program}\`'s program`,
        help: `hand it over with \`--arg name {{…}}\`, and write $name in the program`,
      }
    : undefined;
}

function printfDanger(args: readonly CommandWord[]): Danger | undefined {
  const [first, second] = args;
  if (first?.literal === '-v')
    return second?.tainted ? { why: 'it would be the name of a variable' } : printfDanger(args.slice(2));
  if (first?.literal === '--') return printfDanger(args.slice(1));
  if (first?.tainted) return { why: "it would be `printf`'s format", help: "write `printf '%s' {{…}}`" };
  return /%[^a-zA-Z%]*n/.test(first?.literal ?? '')
    ? { why: 'with `%n` it would be the name of a variable' }
    : undefined;
}

const UNARY = /^-[a-zA-Z]$/;
const BINARY = /^(?:==?|!=|<|>|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef))$/;

/**
 * `[` and `test` read their words like a sentence, and a value may be the verb: `-v` would compute the index in
 * `a[$(…)]`. So the verb has to be in its place, and the sentence so short that bash cannot read it otherwise.
 */
export function testDanger(args: readonly CommandWord[]): Danger | undefined {
  if (args.some((word) => word.loose))
    return {
      why: 'without quotes it may become several words, which `[` reads as operators',
      help: 'put it into double quotes, or use `[[ … ]]`',
    };
  const [first, second, third] = args;
  if (args.length > 1 && first?.literal === '!') return testDanger(args.slice(1));
  if (args.length <= 1) return undefined;
  if (args.length === 2 && first?.literal !== undefined && UNARY.test(first.literal)) {
    return /^-[vR]$/.test(first.literal) && second?.tainted
      ? { why: 'it would be the name of a variable' }
      : undefined;
  }
  if (args.length === 3 && second?.literal !== undefined && BINARY.test(second.literal) && third)
    return undefined;
  return {
    why: '`[` could take it as an operator',
    help: 'compare two values at a time, and join with `[ … ] && [ … ]`, or use `[[ … ]]`',
  };
}

function optionDanger(
  program: string,
  args: readonly CommandWord[],
  { running, data, end }: Options,
): Danger | undefined {
  const subcommand = SUBCOMMANDS[SAME[program] ?? program];
  const taken =
    subcommand && args.find((word) => word.literal !== undefined && !word.literal.startsWith('-'))?.literal;
  if (taken !== undefined && subcommand?.test(taken)) return runs(`${program} ${taken}`);
  if (
    program === 'git' &&
    /^(?:bisect|submodule|rebase)$/.test(taken ?? '') &&
    args.some((word) => /^(?:run|foreach|--exec.*|-x.*)$/.test(word.prefix))
  )
    return runs(`git ${taken}`);
  const ended = args.findIndex((word) => word.literal === '--' || word.literal === '--end-of-options');
  for (const [at, word] of args.entries()) {
    if (!word.tainted) continue;
    const before = args[at - 1]?.literal;
    if (before !== undefined && running.test(before)) return runs(`${program} ${before}`);
    if (ended >= 0 && at > ended) continue;
    const attached = /^(--?[\w-]+)=/.exec(word.prefix)?.[1] ?? /^-[A-Za-z]/.exec(word.prefix)?.[0];
    if (attached !== undefined) {
      if (running.test(attached)) return runs(`${program} ${attached}`);
      continue;
    }
    if (before !== undefined && data.test(before)) continue;
    if (program === 'tar' && /^(?:-[a-zA-Z]*f|--file)$/.test(before ?? '')) {
      if (word.prefix.includes('/')) continue;
      return { why: '`tar` takes "host:file" for a machine to log in to', help: 'write `./` before it' };
    }
    if (word.prefix === '') return asOption(program, end);
  }
  return undefined;
}

function asOption(program: string, end: string): Danger {
  return {
    why: `\`${program}\` would take a value that begins with "-" as an option, and it has options that run something`,
    help: `write \`${end}\` before it`,
  };
}
