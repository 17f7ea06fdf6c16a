/**
 * Variables that bash or a program it starts takes code from: where to find commands, what to run at which moment, which
 * library to load, a number that is computed. `GIT_AUTHOR_NAME` and its like are only data.
 */
const SPECIAL =
  /^(?:PS[0-4]|BASH\w*|ENV|PATH|IFS|PROMPT_COMMAND|CDPATH|SHELLOPTS|GLOBIGNORE|EXECIGNORE|FCEDIT|FUNCNEST|HOME|XDG_CONFIG_\w+|SHELL|EDITOR|VISUAL|PAGER|MANPAGER|BROWSER|LD_\w+|DYLD_\w+|GCONV_PATH|GIT_(?!(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL|DATE)$)\w+|NODE_OPTIONS|NODE_PATH|npm_config_\w+|NPM_CONFIG_(?:SCRIPT_SHELL|NODE_OPTIONS|USERCONFIG|GLOBALCONFIG|PREFIX|GIT|SHELL|EDITOR|VIEWER)|PYTHON\w+|PERL\w*|RUBY\w+|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|MAKEFLAGS|GNUMAKEFLAGS|MFLAGS|TAR_OPTIONS|RSYNC_RSH|CVS_RSH|TERMINFO\w*|LESSOPEN|LESSCLOSE|SSH_ASKPASS|SUDO_ASKPASS|KUBECONFIG|DOCKER_HOST|histchars|OPTIND|HISTCMD|S?RANDOM|SECONDS|INPUTRC)$/;

/** Whether a value in a variable of that name would be, or would choose, what is run. */
export function isSpecialVariable(name: string): boolean {
  return SPECIAL.test(name);
}
