/*
 * s3_server.mjs PORT FOLDER BUCKET [any-signature]
 *		An S3-compatible server, as a program of its own (s3.mjs).  It checks signatures, but those
 *		of requests with the bucket in the host, which it computes as Version 2 does.
 */
import S3rver from '@20minutes/s3rver';

const [port, directory, name, signature] = process.argv.slice(2);
const server = new S3rver({
	address: '127.0.0.1', port: Number(port), directory, silent: true, serviceEndpoint: 'localhost',
	configureBuckets: [{ name }], allowMismatchedSignatures: signature === 'any-signature',
});

server.middleware.unshift((context, next) =>
{
	console.log(`${context.method} ${context.host} ${context.path}`);
	console.log(`agent=${context.get('User-Agent')}`);
	return next();
});
await server.run();
console.log(`listening port=${port}`);
