// Its own file, since a package that is not an ES module loses its named exports when it is imported lazily from a bundle.
export { default as Anthropic } from '@anthropic-ai/sdk';
