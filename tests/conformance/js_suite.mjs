// The AWS SDK for JavaScript against the AWS-compatible API. Prints PASS or FAIL a line each.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";

const require = createRequire(process.env.OCELLI_NODE_MODULES + "/");
const {
  RekognitionClient,
  CopyProjectVersionCommand,
  CreateProjectCommand,
  CreateProjectVersionCommand,
  DeleteProjectCommand,
  DeleteProjectVersionCommand,
  DescribeProjectsCommand,
  DescribeProjectVersionsCommand,
  DetectCustomLabelsCommand,
  DetectFacesCommand,
  DetectLabelsCommand,
  ListTagsForResourceCommand,
  StartProjectVersionCommand,
  StopProjectVersionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  paginateDescribeProjects,
  waitUntilProjectVersionRunning,
  waitUntilProjectVersionTrainingCompleted,
} = require("@aws-sdk/client-rekognition");
const {
  S3Client,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} = require("@aws-sdk/client-s3");

const photo = readFileSync(process.env.OCELLI_PHOTO);
const output = { S3Bucket: "files", S3KeyPrefix: "edge" };
let failed = false;

function client(accessKeyId = "AKIDOPERATOR", secretAccessKey = "operator-secret", maxAttempts = 1) {
  const endpoint = process.env.OCELLI_ENDPOINT;
  const credentials = { accessKeyId, secretAccessKey };
  return new RekognitionClient({ endpoint, region: "us-east-1", credentials, maxAttempts });
}

const operator = client();

async function check(name, body) {
  try {
    await body();
    console.log(`PASS ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL ${name}: ${error}`);
  }
}

async function refused(name, command, by = operator) {
  await assert.rejects(by.send(command), (error) => {
    assert.equal(error.name, name, `${error}`);
    assert.ok(error.message.length > 0);
    return true;
  });
}

async function configured() {
  const found = await operator.send(new DescribeProjectsCommand({ ProjectNames: ["coco-ssd"] }));
  const ProjectArn = found.ProjectDescriptions[0].ProjectArn;
  const versions = await operator.send(new DescribeProjectVersionsCommand({ ProjectArn }));
  return versions.ProjectVersionDescriptions[0];
}

await check("detection", async () => {
  const version = await configured();
  assert.ok(version.CreationTimestamp instanceof Date && !Number.isNaN(version.CreationTimestamp.getTime()));
  const ProjectVersionArn = version.ProjectVersionArn;
  const labels = await operator.send(new DetectCustomLabelsCommand({ ProjectVersionArn, Image: { Bytes: photo } }));
  assert.ok(labels.CustomLabels.some((label) => label.Name === "person" && label.Geometry.BoundingBox.Width > 0));
  const object = { S3Object: { Bucket: "files", Name: "photo.jpg" } };
  const same = await operator.send(new DetectCustomLabelsCommand({ ProjectVersionArn, Image: object }));
  assert.deepEqual(same.CustomLabels, labels.CustomLabels);
  const general = await operator.send(new DetectLabelsCommand({ Image: { Bytes: photo } }));
  assert.ok(general.Labels.some((label) => label.Name === "Person" && label.Instances.length === 1));
});

await check("errors", async () => {
  const { ProjectVersionArn } = await configured();
  const image = (bytes) => ({ ProjectVersionArn, Image: { Bytes: bytes } });
  await refused("InvalidImageFormatException", new DetectCustomLabelsCommand(image(Buffer.from("no picture"))));
  await refused("ImageTooLargeException", new DetectCustomLabelsCommand(image(Buffer.alloc((4 << 20) + 1))));
  await refused("ValidationException", new DetectCustomLabelsCommand({ ...image(photo), MinConfidence: 101 }));
  const units = { ProjectVersionArn, MinInferenceUnits: 0 };
  await refused("ValidationException", new StartProjectVersionCommand(units));
  await refused("AccessDeniedException", new DetectFacesCommand({ Image: { Bytes: photo } }));
  await refused("AccessDeniedException", new DescribeProjectsCommand({}), client("AKIDCAMERA", "camera-secret"));
  await refused("InvalidSignatureException", new DescribeProjectsCommand({}), client("AKIDOPERATOR", "guessed"));
  await refused("UnrecognizedClientException", new DescribeProjectsCommand({}), client("AKIDNOBODY", "x"));
});

await check("pages", async () => {
  const made = [];
  for (let index = 0; index < 5; index += 1) {
    made.push((await operator.send(new CreateProjectCommand({ ProjectName: `js-${index}` }))).ProjectArn);
  }
  const seen = [];
  for await (const page of paginateDescribeProjects({ client: operator, pageSize: 2 }, {})) {
    seen.push(...page.ProjectDescriptions.map((project) => project.ProjectArn));
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(made.every((arn) => seen.includes(arn)));
  for (const ProjectArn of made) await operator.send(new DeleteProjectCommand({ ProjectArn }));
});

await check("objects", async () => {
  const endpoint = process.env.OCELLI_ENDPOINT;
  const credentials = { accessKeyId: "AKIDWRITER", secretAccessKey: "writer-secret" };
  const s3 = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true, maxAttempts: 1 });
  const named = (Key) => ({ Bucket: "files", Key });
  for (const key of ["js/a b.jpg", "js/ü.jpg"]) await s3.send(new PutObjectCommand({ ...named(key), Body: photo }));
  const got = await s3.send(new GetObjectCommand(named("js/ü.jpg")));
  assert.ok(photo.equals(Buffer.from(await got.Body.transformToByteArray())));
  const part = await s3.send(new GetObjectCommand({ ...named("js/a b.jpg"), Range: "bytes=0-9" }));
  assert.ok(photo.subarray(0, 10).equals(Buffer.from(await part.Body.transformToByteArray())));
  assert.equal((await s3.send(new HeadObjectCommand(named("js/a b.jpg")))).ContentLength, photo.length);
  const seen = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, { Bucket: "files", Prefix: "js/" })) {
    seen.push(...(page.Contents ?? []).map((one) => one.Key));
  }
  assert.deepEqual(seen, ["js/a b.jpg", "js/ü.jpg"]);
  const { ProjectVersionArn } = await configured();
  const Image = { S3Object: { Bucket: "files", Name: "js/ü.jpg" } };
  const camera = client("AKIDWRITER", "writer-secret");
  assert.ok((await camera.send(new DetectCustomLabelsCommand({ ProjectVersionArn, Image }))).CustomLabels.length > 0);
  for (const key of seen) await s3.send(new DeleteObjectCommand(named(key)));
  await assert.rejects(s3.send(new GetObjectCommand(named(seen[0]))), (error) => error.name === "NoSuchKey");
});

await check("a version from import to deletion, with waiters and tags", async () => {
  const lab = (await operator.send(new CreateProjectCommand({ ProjectName: "lab" }))).ProjectArn;
  const edge = (await operator.send(new CreateProjectCommand({ ProjectName: "edge" }))).ProjectArn;
  const waiting = { client: operator, maxWaitTime: 60, minDelay: 1, maxDelay: 2 };
  const create = { ProjectArn: lab, VersionName: "v1", OutputConfig: output, Tags: { stage: "lab" } };
  const arn = (await operator.send(new CreateProjectVersionCommand(create))).ProjectVersionArn;
  await waitUntilProjectVersionTrainingCompleted(waiting, { ProjectArn: lab, VersionNames: ["v1"] });
  const copying = { SourceProjectArn: lab, SourceProjectVersionArn: arn, DestinationProjectArn: edge };
  const named = { VersionName: "v1", OutputConfig: output };
  const copy = (await operator.send(new CopyProjectVersionCommand({ ...copying, ...named }))).ProjectVersionArn;
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await operator.send(new DescribeProjectVersionsCommand({ ProjectArn: edge }));
    if (found.ProjectVersionDescriptions[0].Status === "COPYING_COMPLETED") break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const started = { ProjectVersionArn: copy, MinInferenceUnits: 1, MaxInferenceUnits: 2 };
  assert.equal((await operator.send(new StartProjectVersionCommand(started))).Status, "RUNNING", "held until it runs");
  await waitUntilProjectVersionRunning(waiting, { ProjectArn: edge, VersionNames: ["v1"] });
  const camera = client("AKIDCAMERA", "camera-secret");
  await camera.send(new DetectCustomLabelsCommand({ ProjectVersionArn: copy, Image: { Bytes: photo } }));
  assert.equal((await operator.send(new StopProjectVersionCommand({ ProjectVersionArn: copy }))).Status, "STOPPING");
  await operator.send(new TagResourceCommand({ ResourceArn: arn, Tags: { a: "1" } }));
  await operator.send(new UntagResourceCommand({ ResourceArn: arn, TagKeys: ["stage"] }));
  const tags = await operator.send(new ListTagsForResourceCommand({ ResourceArn: arn }));
  assert.deepEqual(tags.Tags, { a: "1" });
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await operator.send(new DescribeProjectVersionsCommand({ ProjectArn: edge }));
    if (found.ProjectVersionDescriptions[0].Status === "STOPPED") break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const ProjectVersionArn of [copy, arn]) {
    await operator.send(new DeleteProjectVersionCommand({ ProjectVersionArn }));
  }
  for (const ProjectArn of [lab, edge]) await operator.send(new DeleteProjectCommand({ ProjectArn }));
});

await check("retries after the time that the box names", async () => {
  const { ProjectVersionArn } = await configured();
  const call = () => {
    const retrying = client("AKIDOPERATOR", "operator-secret", 8);
    return retrying.send(new DetectCustomLabelsCommand({ ProjectVersionArn, Image: { Bytes: photo } }));
  };
  const answers = await Promise.all(Array.from({ length: 12 }, call));
  assert.equal(answers.length, 12);
  assert.ok(answers.some((answer) => answer.$metadata.attempts > 1), "some were refused at first");
});

process.exit(failed ? 1 : 0);
