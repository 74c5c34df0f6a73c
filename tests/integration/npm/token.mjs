// A token of the token endpoint, judged by aws-jwt-verify with the keys that are published.
import assert from 'node:assert/strict';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { CognitoJwtInvalidClientIdError, CognitoJwtInvalidTokenUseError, JwtInvalidScopeError,
  JwtInvalidSignatureError } from 'aws-jwt-verify/error';

const { COGNITO_TOKEN_URL, COGNITO_CLIENT_ID, COGNITO_CLIENT_SECRET, COGNITO_CLIENT_SCOPE } = process.env;
const userPoolId = 'us-east-1_LocalCloud';

async function json(url, options) {
  const response = await fetch(url, options);
  assert.equal(response.status, 200);
  return response.json();
}

const { access_token: token } = await json(COGNITO_TOKEN_URL, {
  method: 'POST',
  headers: { Authorization: `Basic ${btoa(`${COGNITO_CLIENT_ID}:${COGNITO_CLIENT_SECRET}`)}` },
  body: new URLSearchParams({ grant_type: 'client_credentials', scope: COGNITO_CLIENT_SCOPE }),
});
const jwks = await json(new URL(`/${userPoolId}/.well-known/jwks.json`, COGNITO_TOKEN_URL));

const wanted = { userPoolId, tokenUse: 'access', clientId: COGNITO_CLIENT_ID, scope: COGNITO_CLIENT_SCOPE };
function verify(changes, text = token) {
  const verifier = CognitoJwtVerifier.create({ ...wanted, ...changes });
  verifier.cacheJwks(jwks);
  return verifier.verifySync(text);
}

const claims = verify({});
assert.equal(claims.client_id, COGNITO_CLIENT_ID);
assert.equal(claims.sub, COGNITO_CLIENT_ID);
assert.equal(claims.iss, `https://cognito-idp.us-east-1.amazonaws.com/${userPoolId}`);
assert.equal(claims.scope, COGNITO_CLIENT_SCOPE);
assert.equal(claims.exp - claims.iat, 3600);

assert.throws(() => verify({ clientId: 'another-client' }), CognitoJwtInvalidClientIdError);
assert.throws(() => verify({ tokenUse: 'id' }), CognitoJwtInvalidTokenUseError);
assert.throws(() => verify({ scope: 'dmq/other' }), JwtInvalidScopeError);

const [header, , signature] = token.split('.');
const forged = Buffer.from(JSON.stringify({ ...claims, scope: `${claims.scope} dmq/admin` })).toString('base64url');
assert.throws(() => verify({}, `${header}.${forged}.${signature}`), JwtInvalidSignatureError);
