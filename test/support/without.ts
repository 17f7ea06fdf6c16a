/** Text of the command line without what differs from run to run: ids, lengths of time, folders. */
export function without(text: string): string {
  return text
    .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<id>')
    .replace(/\b\d+(?:\.\d)?s\b/g, '<time>')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d\.\d{3}Z)?/g, '<date>')
    .replace(/\/\S*?\/wf-project-\w+/g, '<root>');
}
