// Version 2 of the AWS SDK for JavaScript against the AWS-compatible API and S3. Prints PASS or FAIL a line each.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const AWS = createRequire(process.env.OCELLI_NODE_MODULES + "/")("aws-sdk");

const photo = readFileSync(process.env.OCELLI_PHOTO);
let failed = false;

function options(accessKeyId, secretAccessKey, more = {}) {
  return { endpoint: process.env.OCELLI_ENDPOINT, region: "us-east-1", accessKeyId, secretAccessKey, maxRetries: 0, ...more };
}

const operator = new AWS.Rekognition(options("AKIDOPERATOR", "operator-secret"));
const camera = new AWS.Rekognition(options("AKIDWRITER", "writer-secret"));
const s3 = new AWS.S3(options("AKIDWRITER", "writer-secret", { s3ForcePathStyle: true }));

async function check(name, body) {
  try {
    await body();
    console.log(`PASS ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL ${name}: ${error}`);
  }
}

async function refused(code, request) {
  await assert.rejects(request.promise(), (error) => {
    assert.equal(error.code, code, `${error}`);
    return true;
  });
}

async function configured() {
  const found = await operator.describeProjects({ ProjectNames: ["coco-ssd"] }).promise();
  const { ProjectArn } = found.ProjectDescriptions[0];
  const versions = await operator.describeProjectVersions({ ProjectArn }).promise();
  return versions.ProjectVersionDescriptions[0].ProjectVersionArn;
}

async function main() {
  await check("detection", async () => {
    const ProjectVersionArn = await configured();
    const seen = await operator.detectCustomLabels({ ProjectVersionArn, Image: { Bytes: photo } }).promise();
    assert.ok(seen.CustomLabels.some((label) => label.Name === "person" && label.Geometry.BoundingBox.Width > 0));
    const general = await operator.detectLabels({ Image: { Bytes: photo }, MaxLabels: 3 }).promise();
    assert.equal(general.Labels.length, 3);
  });

  await check("errors", async () => {
    const ProjectVersionArn = await configured();
    const image = { Bytes: Buffer.from("no picture") };
    await refused("InvalidImageFormatException", operator.detectCustomLabels({ ProjectVersionArn, Image: image }));
    await refused("AccessDeniedException", camera.describeProjects({}));
    await refused("AccessDeniedException", operator.detectFaces({ Image: { Bytes: photo } }));
    const gone = { ProjectVersionArn: ProjectVersionArn.replace("/version/", "/version/x"), Image: { Bytes: photo } };
    await refused("ResourceNotFoundException", operator.detectCustomLabels(gone));
  });

  await check("objects", async () => {
    const named = (Key) => ({ Bucket: "files", Key });
    await s3.putObject({ ...named("js2/a b.jpg"), Body: photo }).promise();
    const got = await s3.getObject(named("js2/a b.jpg")).promise();
    assert.ok(photo.equals(got.Body));
    const part = await s3.getObject({ ...named("js2/a b.jpg"), Range: "bytes=10-19" }).promise();
    assert.ok(photo.subarray(10, 20).equals(part.Body));
    const listed = await s3.listObjectsV2({ Bucket: "files", Prefix: "js2/" }).promise();
    assert.deepEqual(listed.Contents.map((one) => [one.Key, one.Size]), [["js2/a b.jpg", photo.length]]);
    const ProjectVersionArn = await configured();
    const Image = { S3Object: { Bucket: "files", Name: "js2/a b.jpg" } };
    assert.ok((await camera.detectCustomLabels({ ProjectVersionArn, Image }).promise()).CustomLabels.length > 0);
    await s3.deleteObject(named("js2/a b.jpg")).promise();
    await refused("NoSuchKey", s3.getObject(named("js2/a b.jpg")));
    await refused("NotFound", s3.headObject(named("js2/a b.jpg")));
  });

  await check("a version from import to deletion, with its waiters as they are", async () => {
    const { ProjectArn } = await operator.createProject({ ProjectName: "js2" }).promise();
    const output = { S3Bucket: "files", S3KeyPrefix: "edge" };
    const create = { ProjectArn, VersionName: "v1", OutputConfig: output };
    const { ProjectVersionArn } = await operator.createProjectVersion(create).promise();
    const which = { ProjectArn, VersionNames: ["v1"] };
    await operator.waitFor("projectVersionTrainingCompleted", which).promise();
    await operator.startProjectVersion({ ProjectVersionArn, MinInferenceUnits: 1 }).promise();
    await operator.waitFor("projectVersionRunning", which).promise();
    await operator.stopProjectVersion({ ProjectVersionArn }).promise();
    for (;;) {
      const found = await operator.describeProjectVersions(which).promise();
      if (found.ProjectVersionDescriptions[0].Status === "STOPPED") break;
    }
    await operator.deleteProjectVersion({ ProjectVersionArn }).promise();
    await operator.deleteProject({ ProjectArn }).promise();
  });
}

main().then(() => process.exit(failed ? 1 : 0));
