// The smallest thing that has to be running for a test: it serves one file.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [, , file = 'data.json'] = process.argv;
const server = createServer((_request, response) => response.end(readFileSync(file)));
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
