// The report agent in Go, with nothing but its standard library: go run agent.go
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type object = map[string]any

var (
	gateway = env("GATEWAY_URL", "http://127.0.0.1:8100")
	agent   = env("AGENT", "acme/production/report-service")
	client  = &http.Client{Timeout: time.Minute}
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// call tries until the gateway answers: it may be away, or being restarted.
func call(method, path string, body any) (int, []byte) {
	for pause := time.Second / 2; ; pause = min(2*pause, 15*time.Second) {
		status, answer, err := callOnce(method, path, body)
		if err == nil && status < 500 && status != http.StatusTooManyRequests {
			return status, answer
		}
		fmt.Println("the gateway is away:", status, err)
		time.Sleep(pause)
	}
}

func callOnce(method, path string, body any) (int, []byte, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, nil, err
		}
	}
	request, err := http.NewRequest(method, gateway+path, &sent)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("content-type", "application/json")
	request.Header.Set("x-api-key", os.Getenv("API_KEY"))
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func min(a, b time.Duration) time.Duration {
	if a < b {
		return a
	}
	return b
}

func generateReport(payload object) (object, error) {
	quarter, isNamed := payload["quarter"].(string)
	if !isNamed {
		return nil, fmt.Errorf("which quarter?")
	}
	seconds, isGiven := payload["seconds"].(float64)
	if !isGiven {
		seconds = 3
	}
	for second := 1; second <= int(seconds); second++ {
		time.Sleep(time.Second)
		fmt.Println(second, "s of work")
	}
	return object{"report_url": "https://reports.example/" + quarter + ".pdf", "language": "Go"}, nil
}

func work(id string) {
	// By reading an intent its agent has taken it.
	_, answer := call("GET", "/v1/intents/"+id, nil)
	var read struct {
		Intent struct {
			Status  string
			Payload object
		}
	}
	if err := json.Unmarshal(answer, &read); err != nil {
		fmt.Println(err)
		return
	}
	switch read.Intent.Status {
	case "COMPLETED", "FAILED", "CANCELED", "TIMED_OUT":
		return
	}
	fmt.Println("working on", id)
	payload := read.Intent.Payload
	// In a scenario, what the scenario was given is a part of what its step is given.
	if parent, is := payload["parent_payload"].(object); is {
		payload = parent
	}
	result, err := generateReport(payload)
	if err != nil {
		result = object{"action": "fail", "message": err.Error()}
	} else {
		result["action"] = "complete"
	}
	// Another status than 200 says that it was canceled, or is too late.
	status, _ := call("POST", "/v1/intents/"+id+"/resume", result)
	fmt.Println("handed in", id, status)
}

func main() {
	fmt.Println("listening as", agent)
	// After a restart it begins at 0: with all that has not ended.
	for cursor := 0; ; {
		// The stream ends after the first events, or when there were none for a while.
		path := fmt.Sprintf("/v1/agents/%s/intents/stream?since=%d&wait_seconds=20", agent, cursor)
		status, stream := call("GET", path, nil)
		if status != http.StatusOK {
			fmt.Printf("refused: %s\n", stream)
			os.Exit(1)
		}
		for _, line := range strings.Split(string(stream), "\n") {
			var event struct {
				IntentID string `json:"intent_id"`
				Seq      int
			}
			if !strings.HasPrefix(line, "data: ") {
				continue
			}
			if json.Unmarshal([]byte(line[len("data: "):]), &event) != nil || event.IntentID == "" {
				continue
			}
			work(event.IntentID)
			cursor = event.Seq
		}
	}
}
