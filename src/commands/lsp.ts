import { Flags } from '@oclif/core';
import { folderOf } from '../cli/folder.ts';
import { WfCommand } from '../cli/wf-command.ts';

export default class Lsp extends WfCommand {
  static override summary = 'Check formulas inside an editor as they are typed.';
  static override description =
    'A language server, started by an editor: it speaks the Language Server Protocol over standard input and output. It shows what `wf check` would say of the texts as they stand in the editor, and lays files out as `wf fmt` does.';
  static override examples = ['<%= config.bin %> lsp --stdio'];
  static override enableJsonFlag = false;
  static override flags = {
    stdio: Flags.boolean({ description: 'As editors say it; there is no other way to speak to it.' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Lsp);
    const { openProject } = await import('../workspace/project-loader.ts');
    const { serve } = await import('../lsp/serve.ts');
    await serve(openProject(folderOf(flags)), flags.profile);
  }
}
