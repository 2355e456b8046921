// A real OpenID provider for test/oidc_test.go:
//
//	node provider.mjs FOLDER ISSUER PORT
//
// FOLDER is where oidc-provider is installed. Each start has a signing key of its own. Anybody can sign in under any name.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, issuer, port] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(folder, 'node_modules', 'oidc-provider', 'lib', 'index.js')));

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = privateKey.export({ format: 'jwk' });
key.kid = createHash('sha256').update(key.n).digest('hex').slice(0, 16);
key.alg = 'RS256';
key.use = 'sig';

const app = new URL(issuer);
app.hostname = 'app.test';
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['a-key-of-the-test'] },
  clients: [{
    client_id: 'shop',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [`${app.origin}/callback`],
    post_logout_redirect_uris: [`${app.origin}/`],
    application_type: 'web',
  }],
  scopes: ['openid', 'offline_access', 'email', 'api'],
  claims: { openid: ['sub'], email: ['email'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@shop.example` }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, RefreshToken: 3600, IdToken: 600, Session: 3600, Grant: 3600, Interaction: 600 },
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'api', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'RS256' } },
      }),
      useGrantedResource: () => false,
    },
  },
});
provider.proxy = true; // the gateway in front says how it was asked
provider.on('server_error', (_, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1', () => console.error('listening'));
