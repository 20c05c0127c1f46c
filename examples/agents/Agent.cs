// The report agent in C# (.NET 8), with nothing but its standard library: as Program.cs of `dotnet new console`.
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

var gateway = Env("GATEWAY_URL", "http://127.0.0.1:8100");
var agent = Env("AGENT", "acme/production/report-service");
var ended = new HashSet<string> { "COMPLETED", "FAILED", "CANCELED", "TIMED_OUT" };
using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
client.DefaultRequestHeaders.Add("x-api-key", Env("API_KEY", ""));

Console.WriteLine($"listening as {agent}");
// After a restart it begins at 0: with all that has not ended.
for (long cursor = 0; ;)
{
    // The stream ends after the first events, or when there were none for a while.
    var path = $"/v1/agents/{agent}/intents/stream?since={cursor}&wait_seconds=20";
    var (status, stream) = await Call(HttpMethod.Get, path);
    if (status != HttpStatusCode.OK) throw new InvalidOperationException(stream);
    foreach (var line in stream.Split('\n'))
    {
        if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
        var delivered = JsonNode.Parse(line["data: ".Length..])!;
        if (delivered["intent_id"] is not { } id) continue;
        await Work(id.GetValue<string>());
        cursor = delivered["seq"]!.GetValue<long>();
    }
}

async Task Work(string id)
{
    // By reading an intent its agent has taken it.
    var (_, answer) = await Call(HttpMethod.Get, $"/v1/intents/{id}");
    if (JsonNode.Parse(answer)!["intent"] is not { } intent) return;
    if (ended.Contains(intent["status"]!.GetValue<string>())) return;
    Console.WriteLine($"working on {id}");
    JsonObject result;
    try
    {
        var payload = intent["payload"]!;
        // In a scenario, what the scenario was given is a part of what its step is given.
        result = await GenerateReport(payload["parent_payload"] ?? payload);
    }
    catch (Exception error)
    {
        result = new JsonObject { ["action"] = "fail", ["message"] = error.Message };
    }
    // Another status than 200 says that it was canceled, or is too late.
    var (status, _) = await Call(HttpMethod.Post, $"/v1/intents/{id}/resume", result);
    Console.WriteLine($"handed in {id} {(int)status}");
}

async Task<JsonObject> GenerateReport(JsonNode payload)
{
    var quarter = payload["quarter"]?.GetValue<string>() ?? throw new ArgumentException("which quarter?");
    var seconds = payload["seconds"]?.GetValue<int>() ?? 3;
    for (var second = 1; second <= seconds; second++)
    {
        await Task.Delay(TimeSpan.FromSeconds(1));
        Console.WriteLine($"{second} s of work");
    }
    return new JsonObject
    {
        ["action"] = "complete",
        ["report_url"] = $"https://reports.example/{quarter}.pdf",
        ["language"] = "C#",
    };
}

// Tries until the gateway answers: it may be away, or being restarted.
async Task<(HttpStatusCode, string)> Call(HttpMethod method, string path, JsonObject? body = null)
{
    for (var pause = TimeSpan.FromSeconds(0.5); ; pause = pause < TimeSpan.FromSeconds(8) ? pause * 2 : pause)
    {
        try
        {
            using var request = new HttpRequestMessage(method, gateway + path);
            if (body is not null)
                request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var response = await client.SendAsync(request);
            var answer = await response.Content.ReadAsStringAsync();
            if ((int)response.StatusCode < 500 && response.StatusCode != HttpStatusCode.TooManyRequests)
                return (response.StatusCode, answer);
            Console.WriteLine($"the gateway is away: {(int)response.StatusCode}");
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            Console.WriteLine($"the gateway is away: {error.Message}");
        }
        await Task.Delay(pause);
    }
}

static string Env(string name, string otherwise) =>
    Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;
