// Version 1 of the AWS SDK for Go against the AWS-compatible API and S3. Prints PASS or FAIL a line each.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/rekognition"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/s3/s3manager"
)

var (
	failed   bool
	photo    []byte
	operator = rekognition.New(with("AKIDOPERATOR", "operator-secret"))
	camera   = rekognition.New(with("AKIDWRITER", "writer-secret"))
	bucket   = s3.New(with("AKIDWRITER", "writer-secret"))
)

func with(key, secret string) *session.Session {
	return session.Must(session.NewSession(&aws.Config{
		Endpoint:         aws.String(os.Getenv("OCELLI_ENDPOINT")),
		Region:           aws.String("us-east-1"),
		Credentials:      credentials.NewStaticCredentials(key, secret, ""),
		S3ForcePathStyle: aws.Bool(true),
		MaxRetries:       aws.Int(0),
	}))
}

func check(name string, body func() error) {
	if err := body(); err != nil {
		failed = true
		fmt.Printf("FAIL %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Printf("PASS %s\n", name)
}

// refused returns an error unless err has this code.
func refused(code string, err error) error {
	var failure awserr.Error
	if errors.As(err, &failure) && failure.Code() == code {
		return nil
	}
	return fmt.Errorf("%v and not %s", err, code)
}

func configured() (*string, error) {
	projects, err := operator.DescribeProjects(&rekognition.DescribeProjectsInput{
		ProjectNames: aws.StringSlice([]string{"coco-ssd"}),
	})
	if err != nil {
		return nil, err
	}
	versions, err := operator.DescribeProjectVersions(&rekognition.DescribeProjectVersionsInput{
		ProjectArn: projects.ProjectDescriptions[0].ProjectArn,
	})
	if err != nil {
		return nil, err
	}
	return versions.ProjectVersionDescriptions[0].ProjectVersionArn, nil
}

func detection() error {
	arn, err := configured()
	if err != nil {
		return err
	}
	image := &rekognition.Image{Bytes: photo}
	seen, err := operator.DetectCustomLabels(&rekognition.DetectCustomLabelsInput{ProjectVersionArn: arn, Image: image})
	if err != nil {
		return err
	}
	for _, label := range seen.CustomLabels {
		if *label.Name == "person" && *label.Geometry.BoundingBox.Width > 0 {
			return nil
		}
	}
	return fmt.Errorf("no person: %v", seen)
}

func refusals() error {
	arn, err := configured()
	if err != nil {
		return err
	}
	image := &rekognition.Image{Bytes: []byte("no picture")}
	_, err = operator.DetectCustomLabels(&rekognition.DetectCustomLabelsInput{ProjectVersionArn: arn, Image: image})
	if err := refused("InvalidImageFormatException", err); err != nil {
		return err
	}
	_, err = camera.DescribeProjects(&rekognition.DescribeProjectsInput{})
	return refused("AccessDeniedException", err)
}

func objects() error {
	name, key := aws.String("files"), aws.String("go/a b.jpg")
	if _, err := bucket.PutObject(&s3.PutObjectInput{Bucket: name, Key: key, Body: bytes.NewReader(photo)}); err != nil {
		return err
	}
	got, err := bucket.GetObject(&s3.GetObjectInput{Bucket: name, Key: key})
	if err != nil {
		return err
	}
	if data, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(data, photo) {
		return fmt.Errorf("not what was put: %d bytes, %v", len(data), err)
	}
	arn, err := configured()
	if err != nil {
		return err
	}
	image := &rekognition.Image{S3Object: &rekognition.S3Object{Bucket: name, Name: key}}
	seen, err := camera.DetectCustomLabels(&rekognition.DetectCustomLabelsInput{ProjectVersionArn: arn, Image: image})
	if err != nil || len(seen.CustomLabels) == 0 {
		return fmt.Errorf("nothing seen: %v", err)
	}
	uploader := s3manager.NewUploaderWithClient(bucket)
	if _, err := uploader.Upload(&s3manager.UploadInput{Bucket: name, Key: key, Body: bytes.NewReader(photo)}); err != nil {
		return err
	}
	keys := 0
	count := func(page *s3.ListObjectsV2Output, _ bool) bool { keys += len(page.Contents); return true }
	if err := bucket.ListObjectsV2Pages(&s3.ListObjectsV2Input{Bucket: name, Prefix: aws.String("go/")}, count); err != nil {
		return err
	}
	if keys != 1 {
		return fmt.Errorf("%d keys", keys)
	}
	if _, err := bucket.DeleteObject(&s3.DeleteObjectInput{Bucket: name, Key: key}); err != nil {
		return err
	}
	_, err = bucket.GetObject(&s3.GetObjectInput{Bucket: name, Key: key})
	return refused("NoSuchKey", err)
}

func life() error {
	project, err := operator.CreateProject(&rekognition.CreateProjectInput{ProjectName: aws.String("go")})
	if err != nil {
		return err
	}
	made, err := operator.CreateProjectVersion(&rekognition.CreateProjectVersionInput{
		ProjectArn:   project.ProjectArn,
		VersionName:  aws.String("v1"),
		OutputConfig: &rekognition.OutputConfig{S3Bucket: aws.String("files"), S3KeyPrefix: aws.String("edge")},
	})
	if err != nil {
		return err
	}
	which := &rekognition.DescribeProjectVersionsInput{ProjectArn: project.ProjectArn}
	if err := operator.WaitUntilProjectVersionTrainingCompleted(which); err != nil {
		return err
	}
	_, err = operator.StartProjectVersion(&rekognition.StartProjectVersionInput{
		ProjectVersionArn: made.ProjectVersionArn,
		MinInferenceUnits: aws.Int64(1),
	})
	if err != nil {
		return err
	}
	if err := operator.WaitUntilProjectVersionRunning(which); err != nil {
		return err
	}
	_, err = operator.StopProjectVersion(&rekognition.StopProjectVersionInput{ProjectVersionArn: made.ProjectVersionArn})
	for status := ""; err == nil && status != "STOPPED"; {
		var found *rekognition.DescribeProjectVersionsOutput
		if found, err = operator.DescribeProjectVersions(which); err == nil {
			status = *found.ProjectVersionDescriptions[0].Status
		}
	}
	if err != nil {
		return err
	}
	_, err = operator.DeleteProjectVersion(&rekognition.DeleteProjectVersionInput{ProjectVersionArn: made.ProjectVersionArn})
	if err != nil {
		return err
	}
	_, err = operator.DeleteProject(&rekognition.DeleteProjectInput{ProjectArn: project.ProjectArn})
	return err
}

func main() {
	var err error
	if photo, err = os.ReadFile(os.Getenv("OCELLI_PHOTO")); err != nil {
		panic(err)
	}
	check("detection", detection)
	check("errors", refusals)
	check("objects", objects)
	check("a version from import to deletion, with its waiters as they are", life)
	if failed {
		os.Exit(1)
	}
}
