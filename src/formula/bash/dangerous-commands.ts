/** Programs that run text as code: from `-c`, `-e`, standard input or a file. */
const INTERPRETERS =
  /^(?:(?:ba|da|z|k|mk|a|fi|c|tc)?sh|busybox|python[\d.]*|pypy[\d.]*|node|nodejs|deno|bun|tsx|ts-node|ruby|perl|php|lua[\d.]*|tclsh|expect|Rscript|julia|osascript|pwsh|psql|mysql|sqlite3|ed|ex|vi|vim|nvim|emacs|gdb|m4|dc)$/;

/** Commands whose words are a command, or code, in ways that no position makes safe. */
const CODE_TAKERS =
  /^(?:eval|source|\.|trap|alias|let|bind|complete|compgen|enable|ssh|scp|sftp|su|runuser|watch|parallel|script|flock|at|batch|crontab|screen|tmux|docker|podman|kubectl|nsenter|chroot|unshare|systemd-run|make|gmake|ninja|man|less|more)$/;

/** Commands that take names of variables, where `a[$(…)]` is code. */
const NAME_TAKERS =
  /^(?:read|mapfile|readarray|getopts|unset|declare|typeset|local|readonly|export|wait|test|\[)$/;

/** Commands before a command. */
const WRAPPERS =
  /^(?:env|command|builtin|exec|nohup|time|nice|ionice|timeout|setsid|stdbuf|sudo|doas|xargs|npx|pnpx|bunx)$/;

/** Commands with options that run something: a value may be the argument of an option, stand after `--`, or inside of a word. */
const OPTION_TAKERS = /^(?:git|tar|rsync|zip|curl|wget|sort|split)$/;

/** Options whose argument is run or read as settings that run something. */
const RUNNING_OPTIONS =
  /^(?:-c|-C|-O|-e|-I|-F|-K|-x|--exec|--exec-path|--config|--config-env|--upload-pack|--receive-pack|--to-command|--checkpoint-action|--rsh|--use-compress-program|--compress-program|--filter|--unzip-command|--extcmd|--open-files-in-pager)$/;

/** One word of a command, as far as it is known. */
export interface CommandWord {
  /** The word without quotes, when it holds no value and no expansion. */
  readonly literal: string | undefined;
  /** A value, or something made of one, is in it. */
  readonly tainted: boolean;
  /** The word begins with that value. */
  readonly leading: boolean;
}

/** Why the values in a command's words could become code; undefined: they stay data. */
export function commandDanger(words: readonly CommandWord[]): string | undefined {
  const [name, ...args] = words;
  if (!name) return undefined;
  if (name.tainted) return 'it would be the name of the command that is run';
  if (!args.some((word) => word.tainted)) return undefined;
  if (name.literal === undefined) return 'the command is only known when it runs';
  const program = name.literal.slice(name.literal.lastIndexOf('/') + 1);
  if (CODE_TAKERS.test(program)) return `\`${program}\` may run what it is given`;
  if (WRAPPERS.test(program)) return wrappedDanger(program, args);
  if (INTERPRETERS.test(program)) return interpreterDanger(program, args);
  if (program === 'find') return findDanger(args);
  if (/^(?:sed|[gmn]?awk)$/.test(program)) return filterDanger(program, args);
  if (program === 'jq' || program === 'yq') return jqDanger(program, args);
  if (program === 'printf') return printfDanger(args);
  if (NAME_TAKERS.test(program)) return nameDanger(program, args);
  if (OPTION_TAKERS.test(program)) return optionDanger(program, args);
  return undefined;
}

/** Whether a command runs what comes in on standard input; `args` are the words after its name. */
export function runsStandardInput(words: readonly CommandWord[]): boolean {
  const [name, ...args] = words;
  if (!name) return false;
  if (name.literal === undefined) return true;
  const program = name.literal.slice(name.literal.lastIndexOf('/') + 1);
  if (program === 'source' || program === '.') return true;
  if (WRAPPERS.test(program)) {
    const inner = args.slice(
      args.findIndex((word) => word.literal === undefined || !/^-|=|^[\d.]+[smhd]?$/.test(word.literal)),
    );
    // xargs makes words of its input: what it starts must not take them as code.
    if (program === 'xargs')
      return (
        inner.length > 0 &&
        commandDanger([...inner, { literal: undefined, tainted: true, leading: true }]) !== undefined
      );
    return inner.length < args.length + 1 && runsStandardInput(inner);
  }
  if (!INTERPRETERS.test(program)) return false;
  const script = args.find((word) => word.literal === undefined || !word.literal.startsWith('-'));
  const inline = args.some((word) => word.literal !== undefined && /^-[a-z]*[ce]$/.test(word.literal));
  if (inline) return false;
  return (
    script === undefined ||
    script.literal === undefined ||
    /^(?:-|\/dev\/stdin|\/dev\/fd\/0|\/proc\/self\/fd\/0)$/.test(script.literal)
  );
}

function wrappedDanger(program: string, args: readonly CommandWord[]): string | undefined {
  const inner = args.findIndex(
    (word) =>
      word.tainted || (word.literal !== undefined && !/^-|^[A-Za-z_]\w*=|^[\d.]+[smhd]?$/.test(word.literal)),
  );
  const before = args.slice(0, Math.max(inner, 0));
  if (
    before.some(
      (word) =>
        word.literal !== undefined && /^(?:-S|--split-string|-c|--call|-I|--replace|-i)$/.test(word.literal),
    )
  ) {
    return `\`${program}\` may run what it is given`;
  }
  return inner < 0 ? undefined : commandDanger(args.slice(inner));
}

function interpreterDanger(program: string, args: readonly CommandWord[]): string | undefined {
  const [first] = args;
  const script = first?.literal !== undefined && !first.literal.startsWith('-') && first.literal !== '';
  return script ? undefined : `\`${program}\` would run it, unless a script file is its first word`;
}

function findDanger(args: readonly CommandWord[]): string | undefined {
  const exec = args.findIndex(
    (word) => word.literal !== undefined && /^-(?:exec|execdir|ok|okdir)$/.test(word.literal),
  );
  const loose = args.some(
    (word, at) =>
      word.leading &&
      !/^-(?:i?name|i?path|i?wholename|newer|size|user|group|type|mtime|mmin|regex|iregex)$/.test(
        args[at - 1]?.literal ?? '',
      ),
  );
  if (loose) return '`find` would take it as an option that may run something';
  if (exec < 0) return undefined;
  return commandDanger(args.slice(exec + 1));
}

function filterDanger(program: string, args: readonly CommandWord[]): string | undefined {
  const text = args.findIndex((word) => word.literal === undefined || !word.literal.startsWith('-'));
  const inOptions = args.some(
    (word) =>
      word.literal !== undefined &&
      /^-(?:-expression|-file|-source|-assign|[a-zA-Z]*[efv])\b/.test(word.literal),
  );
  const tainted = args.findIndex((word) => word.tainted);
  if (inOptions || tainted <= text) return `it would be part of \`${program}\`'s program`;
  return undefined;
}

function jqDanger(program: string, args: readonly CommandWord[]): string | undefined {
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
    ? `it would be part of \`${program}\`'s program`
    : undefined;
}

function printfDanger(args: readonly CommandWord[]): string | undefined {
  const [first, second] = args;
  if (first?.literal === '-v')
    return second?.tainted ? 'it would be the name of a variable' : printfDanger(args.slice(2));
  if (first?.literal === '--') return printfDanger(args.slice(1));
  return first?.tainted ? "it would be `printf`'s format" : undefined;
}

function nameDanger(program: string, args: readonly CommandWord[]): string | undefined {
  if (program === 'test' || program === '[') {
    const risky = args.some((word, at) => word.tainted && /^-[vR]$/.test(args[at - 1]?.literal ?? ''));
    return risky ? 'it would be the name of a variable' : undefined;
  }
  return `\`${program}\` would take it as the name of a variable`;
}

function optionDanger(program: string, args: readonly CommandWord[]): string | undefined {
  const end = args.findIndex((word) => word.literal === '--' || word.literal === '--end-of-options');
  for (const [at, word] of args.entries()) {
    if (!word.tainted) continue;
    const option = args[at - 1]?.literal;
    if (option !== undefined && RUNNING_OPTIONS.test(option))
      return `\`${program} ${option}\` may run what it is given`;
    if (end >= 0 && at > end) continue;
    if (option !== undefined && option.startsWith('-')) continue;
    if (word.leading)
      return `\`${program}\` would take a value that begins with "-" as an option, and it has options that run something`;
  }
  return undefined;
}
