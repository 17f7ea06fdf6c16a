import { Flags } from '@oclif/core';
import type { ListEntry, ProjectList } from '../plan/list.ts';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class List extends WfCommand {
  static override summary = 'The formulas and molecules there are, what they are for and what they take.';
  static override examples = ['<%= config.bin %> list', '<%= config.bin %> list --tag release'];
  static override flags = {
    tag: Flags.string({ description: 'Only those with this tag.', helpValue: '<tag>' }),
  };

  async run(): Promise<ProjectList> {
    const { flags } = await this.parse(List);
    const { listProject } = await import('../plan/list.ts');
    const { openProject } = await import('../workspace/project-loader.ts');
    const { renderList } = await import('../cli/render-list.ts');

    const all = await listProject(openProject(folderOf(flags)));
    const tagged = (entries: readonly ListEntry[]) =>
      flags.tag === undefined ? entries : entries.filter((entry) => entry.tags.includes(flags.tag as string));
    const found = {
      formulas: tagged(all.formulas),
      molecules: tagged(all.molecules),
      aspects: tagged(all.aspects),
    };
    this.log(renderList(found, this.style, flags.tag));
    return found;
  }
}
